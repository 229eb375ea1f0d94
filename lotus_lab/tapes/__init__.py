"""A tape in a notebook: its lines, frames and scored windows, and what a detector of one's own says of it."""
