"""Challengers: candidates made of others by a rule, gates and compositions, charged and judged like any other."""
