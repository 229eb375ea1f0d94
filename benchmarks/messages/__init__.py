"""Benchmarks of the message path beside a well-known queue on the same server."""
