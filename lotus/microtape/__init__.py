"""MicroTape: typed decoding and 200 ms micro-structure frames. No experts, no scores, no files."""
