"""Lessons taken home: the rules in force as a file that needs nothing of Lotus, and refuses when it is too old."""
