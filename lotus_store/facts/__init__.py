"""What is reported of the stored: facts as values, for commands, pages and notebooks. Nothing is decided."""
