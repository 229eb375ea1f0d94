"""What would have happened: probe payoffs of scored windows, from tape alone."""
