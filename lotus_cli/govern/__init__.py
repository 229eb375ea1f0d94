"""Commands of governance: what would have been, how much is explored, who stands on which rung."""
