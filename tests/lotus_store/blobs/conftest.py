"""One object store for all tests of this folder."""

from object_store import s3, s3_port

__all__ = ["s3", "s3_port"]
