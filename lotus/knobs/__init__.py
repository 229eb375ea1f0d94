"""Learning about knobs: randomised experiments, contrasts of what was solved twice, and the run that judges both."""
