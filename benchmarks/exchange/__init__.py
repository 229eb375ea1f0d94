"""Speed of the local exchange's engine against a naive matcher that does the same."""
