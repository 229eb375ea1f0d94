"""The only opener of PostgreSQL, Parquet and tape files. No domain decisions, no Dagster."""
