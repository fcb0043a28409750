"""Canonical events on Kafka: topics, the relay that fills them, and what cannot be read from them."""
