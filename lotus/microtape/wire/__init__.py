"""Raw frames of the venue, decoded and admitted as events, live and in batch."""
