"""PostgreSQL, the only store: its tables, its migrations, and one module of statements per concern."""
