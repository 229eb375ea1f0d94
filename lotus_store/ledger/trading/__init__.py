"""Decisions of dm, plans and paper books of tr."""
