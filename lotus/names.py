"""Names that others chose (of coins, tapes, branches, runs, accounts, authors) and their form as a step of a path.

A name comes in through `parse_name` or `is_name`. Where it becomes a file or folder it goes through `path_step`, so
that no name, checked or not, leads out of its folder. Nothing here touches files. (Literature: percent-encoding, RFC
3986.)
"""

import re
from functools import lru_cache
from typing import Final, NewType
from urllib.parse import quote, unquote

from lotus.errors import ConfigError

Name = NewType("Name", str)

BRED: Final = "bred_"  # how the names of detectors begin that candidates became
MAX_STEP_BYTES: Final = 200  # of a name in a path; file systems allow 255, of which a prefix and a suffix take some
_SAFE: Final = "_.:@+,~- "  # beside letters and digits of ASCII; a blank only inside, a dot not in front
_PLAIN: Final = re.compile(r"[A-Za-z0-9_:@+,~-][A-Za-z0-9_.:@+,~-]*")


@lru_cache(maxsize=4096)
def path_step(name: str) -> str:
    """Return a name as one step of a path: itself when it is an ordinary one, else its odd bytes as `%XX`.

    Different names give different steps, and `name_of_step` gives the name back. No step is empty, begins with a dot
    or holds a slash. Raises `ConfigError` for an empty name, a lone surrogate, and a step beyond `MAX_STEP_BYTES`.

    >>> path_step("BTC"), path_step("PURR/USDC"), path_step("../../evil")
    ('BTC', 'PURR%2FUSDC', '%2E.%2F..%2Fevil')
    """
    if len(name) <= MAX_STEP_BYTES and _PLAIN.fullmatch(name):
        return name
    try:
        step = quote(name, safe=_SAFE) if len(name) <= MAX_STEP_BYTES else ""
    except UnicodeEncodeError:
        step = ""
    if step.startswith((".", " ")):
        step = f"%{ord(step[0]):02X}" + step[1:]
    if step.endswith(" "):
        step = step[:-1] + "%20"
    if not 0 < len(step) <= MAX_STEP_BYTES:
        raise ConfigError(
            f"the name {name[:40]!r}", f"1 to {MAX_STEP_BYTES} bytes as a step of a path", "a made-up name"
        )
    return step


def name_of_step(step: str) -> str:
    """Return the name that `path_step` made a step of.

    >>> name_of_step("PURR%2FUSDC")
    'PURR/USDC'
    """
    return unquote(step)


def is_name(text: str) -> bool:
    """Tell whether a text can be a name: printable, no blanks around it, and not too long for a step of a path."""
    if not text or not text.isprintable() or text != text.strip():
        return False
    try:
        path_step(text)
    except ConfigError:
        return False
    return True


def parse_name(what: str, text: str) -> Name:
    """Return a text as a name; raises `ConfigError`, which says what it was to name, when it cannot be one.

    >>> parse_name("coin", "PURR/USDC")
    'PURR/USDC'
    """
    if not is_name(text):
        raise ConfigError(
            f"the name of a {what} is {text[:40]!r}", f"printable characters, at most {MAX_STEP_BYTES} bytes in a path"
        )
    return Name(text)
