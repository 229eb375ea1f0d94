"""Logs of other people's bots as events: what was traded, without a propensity. Nothing is learned here."""
