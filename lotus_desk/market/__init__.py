"""What the desk sees of markets: views by coin, their volatility, and the triggers that watch frames."""
