"""The gateway on one machine with nothing installed: its own PostgreSQL, its own Kafka, and the processes around them.

Nothing here is used in production, where `GATEWAY_...` settings point at a PostgreSQL and a Kafka cluster instead.
"""
