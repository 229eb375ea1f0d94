"""What Dagster's pages show of a result: metadata, tables, pictures, and the days they stand on."""
