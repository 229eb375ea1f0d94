"""Frames of 200 ms from events: the machine, its state and the table it fills."""
