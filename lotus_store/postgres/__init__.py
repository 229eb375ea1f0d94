"""PostgreSQL: the embedded server, connections by database name, migrations and named queries."""
