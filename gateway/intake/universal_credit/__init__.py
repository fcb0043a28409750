"""Universal Credit's Kafka topics as a channel: its documents are fetched, opened and taken like any other record."""
