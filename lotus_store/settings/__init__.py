"""Settings of a home by section."""
