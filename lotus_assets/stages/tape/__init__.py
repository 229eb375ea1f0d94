"""From the tape of a day to frames and annotations."""
