"""The card of a detector version: its numbers, its stage of life, and the page."""
