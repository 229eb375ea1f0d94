"""Exchanges behind one port: the venue, paper, and tape served over loopback. No learning, no storage."""
