"""The token that a file holds: readable by its owner alone, and too long to be guessed."""

import os
from pathlib import Path
from typing import Final

from lotus.errors import ConfigError
from lotus.loopback import HOW, check_token

LARGEST: Final = 4096


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
