"""The command line. It parses arguments, shows progress and calls the rooms below."""
