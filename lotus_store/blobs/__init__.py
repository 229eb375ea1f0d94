"""Whole objects under names, in a folder or in a bucket: one put each, never a part of one."""
