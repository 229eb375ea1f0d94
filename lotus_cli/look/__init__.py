"""Commands that show what is stored: lessons, sanity, priors, reviews, atoms, cards, detectors."""
