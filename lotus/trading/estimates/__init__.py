"""What the trader expects of an execution before it, and how well executors kept to it."""
