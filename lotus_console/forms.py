"""Forms that act: a bounded urlencoded body, proven to come from a page of this session, and what is done with it.

A page that holds such a form puts `csrf` (a variable of every template) into a hidden field of that name. The door
names the session in the scope of a request; without one no form is taken. In the literature: cross-site request
forgery, HMAC-based token pattern.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from lotus.errors import ConfigError
from lotus_console.reading import HomeReading

FORM_BYTES: Final = 64 << 10
FORM_FIELDS: Final = 64
CSRF: Final = "csrf"
SESSION: Final = "lotus.session"
URLENCODED: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is let in: `csrf` is the token of its forms, `who` the name that a trusted proxy gave, "" without one."""

    csrf: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a form does. `place`: where it is posted, a path with {names}; `fields`: what it may hold.

    `do` gets the reading, the form's fields and the place's names together, and the session; it returns the address to
    go to. It raises `LotusError` for what is refused, `LookupError` for a subject that is not there.
    """

    place: str
    label: str
    fields: tuple[str, ...]
    do: Callable[[HomeReading, Mapping[str, str], Session], str]


def session_of(request: Request) -> Session:
    """Return the session of a request, one whose forms are all refused where no door stands before the pages."""
    session: Session = request.scope.get(SESSION, Session(""))
    return session


async def form_of(request: Request, fields: tuple[str, ...]) -> dict[str, str]:
    """Return the fields of a form, "" for one that was left out.

    Raises `ConfigError` for another type of body, one beyond `FORM_BYTES`, fields that are unknown, double or no text,
    and without the token of the session.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != URLENCODED:
        raise ConfigError(f"a body of type {kind[:60]!r}", URLENCODED)
    given = parsed_form(await _body(request))
    token, session = given.pop(CSRF, ""), session_of(request)
    if not session.csrf or not hmac.compare_digest(token.encode(), session.csrf.encode()):
        cause = "the page is of an earlier session: load it again"
        raise ConfigError("a form without the token of this session", "a form of a page shown in it", cause)
    if strange := sorted(set(given) - set(fields)):
        raise ConfigError(f"the form has no field {strange[0][:40]!r}", f"one of {', '.join(fields) or 'none'}")
    return {name: given.get(name, "") for name in fields}


def parsed_form(body: bytes) -> dict[str, str]:
    """Return the fields of an urlencoded body.

    >>> parsed_form(b"reason=too+late&note=")
    {'reason': 'too late', 'note': ''}
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=FORM_FIELDS,
            errors="strict",
        )  # fmt: skip
    except ValueError as error:
        raise ConfigError("a form that cannot be read", f"at most {FORM_FIELDS} urlencoded fields") from error
    given = dict(pairs)
    if len(given) < len(pairs) or any("\0" in text for pair in pairs for text in pair):
        raise ConfigError("a form with a field twice, or with the character NUL", "each field once, as text")
    return given


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES:
            raise ConfigError(f"a form beyond {FORM_BYTES:,} bytes", "a shorter text")
    return bytes(body)
