"""Whether learning helps, and who is given exploration, compute and votes: by evidence, within budgets."""
