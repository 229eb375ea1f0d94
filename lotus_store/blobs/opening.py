"""From a place, a folder or a URL, to its objects; what speaks to buckets is imported only for a URL of one."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from lotus_store.blobs.folder import FolderBlobs
from lotus_store.blobs.port import Blobs


def folder_of(place: str | Path) -> Path | None:
    """Return the folder that a place is: a path or a file:// URL; None for a place in a bucket."""
    text = str(place)
    if "://" not in text:
        return Path(text)
    parts = urlsplit(text)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def open_blobs(place: str | Path) -> Blobs:
    """Return the objects of a folder or URL; nothing is created or asked. Raises `BlobError` for a place of no kind."""
    if (folder := folder_of(place)) is not None:
        return FolderBlobs(folder)
    from lotus_store.blobs.bucket import opened_bucket

    return opened_bucket(str(place))
