"""`lotus demo`: a world whose truth is known, from tape to a page."""
