"""`lotus explain`: from a published number back to raw frames."""
