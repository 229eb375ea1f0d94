"""Speed, measured: one file per benchmark, a named reference measured in the same run. Nothing here is a test."""
