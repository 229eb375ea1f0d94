"""What is frozen at the start of a day, made from the days before it."""
