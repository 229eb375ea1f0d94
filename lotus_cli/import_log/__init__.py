"""`lotus import-log`: logs of other people's bots."""
