"""The schema's history; see `gateway.store.ledger.migrate`."""
