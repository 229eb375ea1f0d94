"""Dagster definitions: thin assets, checks, partitions, schedules. No domain logic."""
