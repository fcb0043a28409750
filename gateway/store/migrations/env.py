"""Alembic's entry: it runs on the connection it is handed, inside that connection's transaction."""

from alembic import context

from gateway.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
