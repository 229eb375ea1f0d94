"""What long work tells whoever waits for it. Apart from the base, whose hash is in that of every stage and kernel."""
