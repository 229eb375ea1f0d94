"""Live shards: which coins are whose, who publishes for them, and what one shard reads of the others."""
