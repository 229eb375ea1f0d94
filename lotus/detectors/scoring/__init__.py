"""One window scored: kernel, priors, propensity and draw, and the rows that tell of it."""
