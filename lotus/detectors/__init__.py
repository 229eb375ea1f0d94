"""Detectors, context bins, kernel score and publication propensity, from frames and annotations only."""
