"""Whole objects as files of a folder: written beside, synced, then renamed (`lotus_store.files`)."""

import os
from contextlib import suppress
from pathlib import Path

from lotus_store.blobs.port import BlobError, Payload
from lotus_store.files import create_bytes, write_bytes


class FolderBlobs:
    """The port `Blobs` over a folder; a hidden file is no object."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is created before the first put."""
        self.folder, self.base = folder, str(folder)

    def put(self, key: str, payload: Payload) -> None:
        """Write a file atomically and durably."""
        try:
            write_bytes(self.folder / key, payload)
        except OSError as problem:
            raise self._unwritten(key, problem) from problem

    def create(self, key: str, payload: Payload) -> bool:
        """Write a file atomically and durably unless there is one."""
        try:
            return create_bytes(self.folder / key, payload)
        except OSError as problem:
            raise self._unwritten(key, problem) from problem

    def get(self, key: str) -> bytes:
        """Return a file."""
        return (self.folder / key).read_bytes()

    def tail(self, key: str, most: int) -> bytes:
        """Return the end of a file."""
        with (self.folder / key).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - most))
            return file.read()

    def has(self, key: str) -> bool:
        """Tell whether a file is there."""
        return (self.folder / key).is_file()

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the size of every file below a folder."""
        sizes = dict[str, int]()
        for folder, _, names in os.walk(self.folder / prefix):
            for name in names:
                path = f"{folder}/{name}"
                if not name.startswith("."):
                    with suppress(FileNotFoundError):  # it went meanwhile
                        sizes[os.path.relpath(path, self.folder)] = Path(path).stat().st_size
        return sizes

    def newest_s(self, prefix: str) -> float:
        """Return the newest time of writing below a folder."""
        newest = 0.0
        for key in self.sizes(prefix):
            with suppress(FileNotFoundError):  # it went meanwhile
                newest = max(newest, (self.folder / key).stat().st_mtime)
        return newest

    def remove(self, key: str) -> None:
        """Remove a file."""
        (self.folder / key).unlink(missing_ok=True)

    def _unwritten(self, key: str, problem: OSError) -> BlobError:
        return BlobError(f"{self.base}/{key} cannot be written: {problem}", "a writable folder", "disk full or rights")
