"""Draws in somebody's own bot, with logged propensities: what `lab.learn` needs of it. No trading belongs here."""
