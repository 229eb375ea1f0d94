"""The token that a file holds: readable by its owner alone, and too long to be guessed."""

import math
import os
import re
from pathlib import Path
from typing import Final

from lotus.errors import ConfigError

BITS: Final = 128
VARIETY: Final = 8  # different characters, of which a word with fewer was typed and not drawn
LARGEST: Final = 4096
HOW: Final = "(umask 077; openssl rand -hex 32 > FILE)"


def read_token(path: Path) -> str:
    """Return the token of a file, without the space around it.

    Raises `ConfigError` for a link, a file of another user or open to others, and a text that could be guessed.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(
            f"the token file {path} cannot be opened: {error.strerror}", f"a file, made by {HOW}"
        ) from error
    try:
        status, text = os.fstat(handle), os.read(handle, LARGEST).decode("ascii", "replace").strip()
    except OSError as error:
        raise ConfigError(f"the token file {path} cannot be read: {error.strerror}", "a file") from error
    finally:
        os.close(handle)
    if status.st_uid not in (os.geteuid(), 0) or status.st_mode & 0o077:
        found = f"the token file {path} has the mode {status.st_mode & 0o777:04o} and the owner {status.st_uid}"
        raise ConfigError(found, f"0600 and {os.geteuid()}", f"others could read it: chmod 600 {path}, and a new token")
    check_token(text, str(path))
    return text


def check_token(text: str, place: str) -> None:
    """Raise `ConfigError` for a token that a header cannot hold, or of fewer than 128 bits at best."""
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ConfigError(f"the token of {place} is empty or no line of printable ASCII", f"one word, made by {HOW}")
    letters = 16 if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", text) else 64
    bits = len(text) * math.log2(letters) if len(set(text)) >= VARIETY else 0.0
    if bits < BITS:
        raise ConfigError(f"the token of {place} has at most {bits:.0f} bits", f"at least {BITS}", f"made by {HOW}")
