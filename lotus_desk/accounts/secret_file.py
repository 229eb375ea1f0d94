"""Writing a file that only its owner can read, from its first byte on."""

from pathlib import Path

from lotus_store.files import atomic


def write_secret(path: Path, text: str) -> None:
    """Write a whole file atomically, mode 0600."""
    with atomic(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(text, encoding="utf-8")
