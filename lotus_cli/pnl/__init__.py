"""`lotus pnl`: published windows as trades, split into their costs."""
