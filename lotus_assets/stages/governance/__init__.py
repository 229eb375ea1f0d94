"""Stages of governance: what the curators do after a night's beliefs are settled."""
