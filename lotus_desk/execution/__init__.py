"""Accepted plans under way: stepped, written down, carried to the venue, compared with it; no rule of trading."""
