"""Commands of the breeder: a run of it, and the candidates that it found."""
