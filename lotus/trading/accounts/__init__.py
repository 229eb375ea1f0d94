"""Positions, money and funding of an account, and what it does not agree on with the venue."""
