"""Round trips, fees and money, read from executions: what `lotus pnl` and the pages report."""
