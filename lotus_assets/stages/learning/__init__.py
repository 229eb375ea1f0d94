"""Sums, lessons, braids and the priors that follow from them."""
