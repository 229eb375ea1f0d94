"""What the breeder finds where something is planted, and what it would let in where nothing is."""
