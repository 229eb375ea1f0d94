"""What the workers of a fleet do for a backfill, and how it is asked of them."""
