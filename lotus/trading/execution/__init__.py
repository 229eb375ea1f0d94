"""One plan under way as a state machine: events in, commands out, and the report at its end."""
