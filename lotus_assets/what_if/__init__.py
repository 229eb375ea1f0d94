"""What-ifs: a change asked of stored days, answered by their log and on their tape, and registered."""
