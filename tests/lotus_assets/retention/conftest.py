"""A server of S3's protocol for tests of retention."""

from object_store import s3, s3_port

__all__ = ["s3", "s3_port"]
