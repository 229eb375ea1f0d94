"""Cost of the trader in this process, beside a named reference of the same run."""
