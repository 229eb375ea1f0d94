"""The venue Hyperliquid: texts of its websocket protocol, its REST information requests and its rules of rounding."""
