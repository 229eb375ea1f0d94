"""Stages that watch over data, scores and diversity; what they find is told, and stops nothing."""
