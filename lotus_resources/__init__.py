"""Thin Dagster resources over the store and the live daemon. No domain logic."""
