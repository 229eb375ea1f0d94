"""Other people's engines on the same tape: `engines` asks and compares, `worker` runs one in its own environment."""
