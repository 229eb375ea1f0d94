"""The brief of a day: its facts, the bill of exploration, and its page."""
