"""Repositories: one idea per file, each a few functions over a connection that the caller commits.

SQL stands in `sql/<database>/queries.sql`. A write may be repeated with the same values and leaves the same rows.
"""
