"""Benchmarks of the venues."""
