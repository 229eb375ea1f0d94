"""A market with known truth: an integer-tick simulator that emits the venue's own frames."""
