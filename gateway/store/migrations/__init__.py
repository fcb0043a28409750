"""The schema's history; see `gateway.store.schema.migrate`."""
