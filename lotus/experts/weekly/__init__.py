"""The weekly judgement: calls, reliabilities, refit, training, and the set that follows."""
