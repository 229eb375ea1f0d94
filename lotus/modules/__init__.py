"""Envelopes, intents and payload contracts of the four modules."""
