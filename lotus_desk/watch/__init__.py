"""The watchdog: a process beside the daemon that acts at the venue when the daemon cannot. No plan is known here."""
