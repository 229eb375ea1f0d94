"""Bring your own signals: a table of anybody's published and unpublished windows in, honest lessons out.

Pure: arrays in, results out. Files are read and pages printed by `lotus_cli`; how a rule is searched, graded and
audited is `lotus.learning`, the same code that judges Lotus's own detectors.
"""
