"""The coprocessor: it proposes detectors as specifications in the closed language; the common evidence judges them.

Pure: what is charged, stored or asked of a model is its callers'. Nothing that trades or carries messages imports it.
(Literature: strongly typed genetic programming, formulaic alphas, multiple testing.)
"""
