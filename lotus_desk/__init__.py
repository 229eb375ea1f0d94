"""The trading desk: plans taken up, carried out and written down, its safety, and the watchdog beside it."""
