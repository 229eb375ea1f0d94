"""The router's loop: outbox to inbox, at least once, de-duplicated for ever. No domain decisions."""
