"""Sections of the settings that have a module of their own; `lotus_store.config` resolves them all."""
