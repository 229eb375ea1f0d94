"""The trader's shell in the daemon: plans taken up, stepped, written down and carried out. No rule of trading here."""
