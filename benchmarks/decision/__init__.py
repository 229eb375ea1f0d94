"""Benchmarks of the decision-maker: the re-solve of an allocation, and side by side with another library."""
