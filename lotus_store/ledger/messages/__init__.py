"""Outbox, inbox, dead letters, keys and replicas of a module."""
