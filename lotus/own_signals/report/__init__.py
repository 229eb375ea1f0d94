"""A study told: facts, words, and what every figure means."""
