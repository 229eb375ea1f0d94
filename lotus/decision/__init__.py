"""The decision-maker: from measured alphas to allocated targets. No orders and no micro-structure here."""
