"""What a daemon tells of itself: status, metrics, its log and the signal bus."""
