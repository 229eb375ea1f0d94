"""The tape's catalogue and what was scored, published and executed, in the sig database."""
