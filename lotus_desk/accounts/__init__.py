"""Accounts of a desk: keys, addresses and caps from files, and the paper accounts of a daemon."""
