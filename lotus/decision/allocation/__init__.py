"""The allocation problem, its numbers, and its solver."""
