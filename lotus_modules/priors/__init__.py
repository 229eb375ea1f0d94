"""Beliefs between modules: patches proposed, applied, rolled back, swept when they run out, and told."""
