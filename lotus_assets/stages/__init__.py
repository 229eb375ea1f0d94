"""One file per stage: read, one pure call, write. No Dagster here: command line and tests run the same functions."""
