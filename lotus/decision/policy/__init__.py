"""The policy of a book: its file, its knobs in force, and their experiments."""
