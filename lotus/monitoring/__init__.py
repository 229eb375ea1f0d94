"""Monitors of data, scores and diversity: sketches of days, like days, e-detectors; values in, values out."""
