"""Lessons, braids, priors, knobs and experts: what is believed, and the nightly runs behind it."""
