"""The report of a study: facts, text, and what every figure means."""
