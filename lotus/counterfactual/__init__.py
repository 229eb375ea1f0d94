"""What would have been: stored windows under other beliefs, experts, curators or settings, and what that was worth."""
