"""What a model is asked and what it answers, as values: prompts of numbers, checked replies, what calls cost."""
