"""The router's loop: outbox to inbox, at least once, de-duplicated permanently. No domain decisions."""
