"""What may be printed of a database's address: never its password, also where the address is mistyped.

The driver quotes what it could not read, which may be a part of the password; `driver_words` knows the address and
takes out every part of what could be one. Patterns for text of an unknown address are `lotus.errors.redacted`.
"""

import re
from contextlib import suppress
from urllib.parse import unquote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from lotus.errors import redacted

_PARTS = re.compile(r"[@:/?#&\s]+")
_SHORTEST = 2  # characters of a part that is taken out; shorter ones tell nothing and are everywhere


def driver_words(problem: Exception, dsn: str) -> str:
    """Return a driver's message about an address without the password or any part of it.

    >>> driver_words(ValueError('no host "ss@h"'), "postgresql://u:p@ss@h/x")
    'no host "***@h"'
    """
    text = str(problem).strip()
    for secret in sorted(_secrets(dsn), key=len, reverse=True):
        text = text.replace(secret, "***")
    return redacted(text)


def _secrets(dsn: str) -> set[str]:
    """Return the password as the driver reads it, and the parts of all that stands between a colon and the last @."""
    secrets = set()
    with suppress(ProgrammingError):
        secrets.add(str(conninfo_to_dict(dsn).get("password") or ""))
    before, separator, _ = dsn.rpartition("@")
    if separator:
        secret = before.partition("//")[2].partition(":")[2]
        secrets |= {secret, *_PARTS.split(secret)}
    secrets |= {unquote(part) for part in secrets}
    return {part for part in secrets if len(part) >= _SHORTEST}
