"""Who may ask a server on loopback: no other name for it (DNS rebinding), no page of another origin (forged requests).

Pure; servers of any framework ask it of each request. A program that is no browser sends no origin.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

NAMES: Final = ("127.0.0.1", "localhost")
OWN_NAME: Final = re.compile(r"lotus-[0-9]{1,5}\.localhost")
SAFE_SITES: Final = ("same-origin", "none")
LINK: Final = ("navigate", "document")  # mode and destination of a link that opens a page of its own


def own_name(port: int) -> str:
    """Return the name of loopback by which the pages at a port are opened.

    Browsers keep cookies by name and not by port: at this one a session is not shown to other servers of 127.0.0.1.
    Names below localhost are loopback's by RFC 6761, so none of them can be rebound.
    """
    return f"lotus-{port}.localhost"


def decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of an ASGI scope by name in small letters."""
    return {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in headers}


def stranger(headers: Mapping[str, str], port: int) -> tuple[int, str]:
    """Return the HTTP status and words of a refusal, (0, "") for a request of this machine's own programs and pages.

    >>> stranger({"host": "localhost:3000"}, 3000), stranger({"host": "evil.example"}, 3000)[0]
    ((0, ''), 400)
    """
    host = headers.get("host", "")
    name, _, at = host.rpartition(":")
    if at != str(port) or not (name in NAMES or OWN_NAME.fullmatch(name)):
        return 400, f"host {host[:80]!r}; expected: {NAMES[0]}:{port}"
    origin = headers.get("origin", f"http://{host}")
    site, way = headers.get("sec-fetch-site", "none"), (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
    is_link = site == "same-site" and way == LINK and "origin" not in headers  # between two servers of this machine
    if origin != f"http://{host}" or not (site in SAFE_SITES or is_link):
        return 403, f"a request of another page ({origin[:80]})"
    return 0, ""
