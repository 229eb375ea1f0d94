"""What stages made, made again elsewhere and compared."""
