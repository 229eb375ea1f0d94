"""A plan before it is taken up: the value, its checks, its curators, its venue and its knobs."""
