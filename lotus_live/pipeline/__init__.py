"""From a line of tape to scored windows, and its batch twin."""
