"""Who may ask a server on loopback: no other name for it (DNS rebinding), no page of another origin (forged requests).

Pure; servers of any framework ask it of each request. A program that is no browser sends no origin. What a token of
such a server must be is here too.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

from lotus.errors import ConfigError

NAMES: Final = ("127.0.0.1", "localhost")
OWN_NAME: Final = re.compile(r"lotus-[0-9a-f]{32}\.localhost")
SAFE_SITES: Final = ("same-origin", "none")
BITS: Final = 128
VARIETY: Final = 8  # different characters, of which a word with fewer was typed and not drawn
HOW: Final = "(umask 077; openssl rand -hex 32 > FILE)"
LINK: Final = ("navigate", "document")  # mode and destination of a link that opens a page of its own


def own_name(drawn: str) -> str:
    """Return the name of loopback by which the pages of a home are opened, of 32 hexadecimal digits drawn for it.

    Browsers keep cookies by name and not by port: at this one a session is not shown to other servers of 127.0.0.1,
    and nobody else can serve at a name that he cannot guess. Names below localhost are loopback's by RFC 6761, so none
    of them can be rebound. Raises `ConfigError` for anything else.
    """
    name = f"lotus-{drawn}.localhost"
    if not OWN_NAME.fullmatch(name):
        raise ConfigError(f"a name of {drawn[:40]!r}", "32 hexadecimal digits")
    return name


def check_token(text: str, place: str) -> None:
    """Raise `ConfigError` for a token that a header cannot hold, or of fewer than 128 bits at best."""
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ConfigError(f"the token of {place} is empty or no line of printable ASCII", f"one word, made by {HOW}")
    letters = 16 if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", text) else 64
    bits = len(text) * math.log2(letters) if len(set(text)) >= VARIETY else 0.0
    if bits < BITS:
        raise ConfigError(f"the token of {place} has at most {bits:.0f} bits", f"at least {BITS}", f"made by {HOW}")


def decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of an ASGI scope by name in small letters."""
    return {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in headers}


def stranger(headers: Mapping[str, str], port: int, *names: str) -> tuple[int, str]:
    """Return the HTTP status and words of a refusal, (0, "") for a request of this machine's own programs and pages.

    `names`: further ones by which the server may be asked.

    >>> stranger({"host": "localhost:3000"}, 3000), stranger({"host": "evil.example"}, 3000)[0]
    ((0, ''), 400)
    """
    host = headers.get("host", "")
    name, _, at = host.rpartition(":")
    if at != str(port) or not (name in NAMES or name in names):
        return 400, f"host {host[:80]!r}; expected: {NAMES[0]}:{port}"
    origin = headers.get("origin", f"http://{host}")
    site, way = headers.get("sec-fetch-site", "none"), (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
    is_link = site == "same-site" and way == LINK and "origin" not in headers  # between two servers of this machine
    if origin != f"http://{host}" or not (site in SAFE_SITES or is_link):
        return 403, f"a request of another page ({origin[:80]})"
    return 0, ""
