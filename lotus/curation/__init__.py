"""Who may steer the learning from outside it, and how far: acts, their law, the curators and what they are worth."""
