"""The decision-maker: proposals decided, the book rebalanced once a window, hints of people."""
