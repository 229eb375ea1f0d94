"""Segments of the market: states that a hidden Markov model proposes, distilled to flags of the closed language."""
