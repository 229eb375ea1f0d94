"""Learning about knobs: randomised trials, contrasts of what was solved twice, and the nights that judge both."""
