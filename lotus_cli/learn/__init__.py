"""`lotus learn`: events files in, a study as text, page or JSON out."""
