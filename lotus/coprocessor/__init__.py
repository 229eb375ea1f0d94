"""The coprocessor: proposes detectors as specs of the closed language; the common evidence judges them."""
