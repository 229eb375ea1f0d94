"""Who is given exploration, compute and votes, and what governance is worth: decided by evidence, within budgets."""
