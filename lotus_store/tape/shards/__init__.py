"""A tape in shards: several recorders, each with its share of the coins; read as one tape."""
