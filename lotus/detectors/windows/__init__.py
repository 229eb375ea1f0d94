"""Windows of 5 s from frames: their state, their programs, and the row each becomes."""
