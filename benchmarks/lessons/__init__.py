"""Proofs about lessons: each file is one command with seeds as arguments and `--json`."""
