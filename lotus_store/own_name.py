"""The name by which the pages of a home are opened: drawn once, kept with it, known to nobody but its owner.

What the name is for is `lotus.loopback`.
"""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from lotus.errors import ConfigError
from lotus.loopback import own_name
from lotus_store.files import make_folder

FILE: Final = "pages_name"


def name_of_home(home: Path) -> str:
    """Return the name of a home's pages, the same at each start.

    A home that cannot be written to gets one for this start. Raises `ConfigError` for a file that holds anything else.
    """
    path, drawn = home / "keys" / FILE, secrets.token_hex(16)
    try:
        if not path.exists():
            _write_once(path, drawn)
        text = path.read_text("ascii", "replace").strip()
    except OSError:
        text = drawn
    try:
        return own_name(text)
    except ConfigError as error:
        raise ConfigError(f"{path} holds {text[:40]!r}", "32 hexadecimal digits", "edited; remove the file") from error


def _write_once(path: Path, text: str) -> None:
    """Write a file whole, unless another process did so before."""
    make_folder(path.parent)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{FILE}.") as made:  # 0600
        made.write(f"{text}\n".encode())
        made.flush()
        os.fsync(made.fileno())
        with suppress(FileExistsError):
            os.link(made.name, path)
