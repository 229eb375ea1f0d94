"""Micro-experts (DSI) and their fusion, computed from frames only."""
