"""Sessions and their acts: who is let in, the token that every form of a session carries, and what a form does.

A page that holds such a form puts `csrf` (a variable of every template) into a hidden field of that name. A form whose
content was shown before carries a token that is bound to it, so that what is sent is what was shown; that one ends
after an hour. The door names the session in the scope of a request; without one no form is taken. In the literature:
cross-site request forgery, HMAC-based token pattern.
"""

import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from lotus.errors import ConfigError
from lotus_console.access.forms import form_of
from lotus_console.reading import HomeReading

CSRF: Final = "csrf"
SESSION: Final = "lotus.session"
VALID_S: Final = 3600  # of a bound token


@dataclass(frozen=True, slots=True)
class PageSession:
    """Who is let in: `csrf` is the token of its forms, `who` the name that a trusted proxy gave, "" without one."""

    csrf: str
    who: str = ""

    def bound(self, purpose: str, fields: Mapping[str, str]) -> str:
        """Return the token of a form for a purpose whose fixed fields these are."""
        since = f"{int(time.time())}"
        return f"{since}.{self._mac(purpose, since, fields)}"

    def check(self, token: str, purpose: str, fields: Mapping[str, str]) -> None:
        """Raise `ConfigError` for a token that is none of this session's form, or of more than an hour ago."""
        since, _, mac = token.partition(".")
        is_whole = since.isascii() and since.isdigit() and len(since) < 12
        is_own = self.csrf and hmac.compare_digest(mac.encode(), self._mac(purpose, since, fields).encode())
        if not is_whole or not is_own or not 0 <= time.time() - int(since) <= VALID_S:
            cause = "it is older than an hour, or of an earlier session"
            raise ConfigError("the form's token is not the one that this page gave", "one of this form", cause)

    def _mac(self, purpose: str, since: str, fields: Mapping[str, str]) -> str:
        text = json.dumps([purpose, since, sorted(fields.items())])
        return hmac.digest(self.csrf.encode(), text.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a form does. `place`: where it is posted, a path with {names}; `fields`: what it may hold.

    `do` gets the reading, the form's fields and the place's names together, and the session; it returns the address to
    go to. It raises `LotusError` for what is refused, `LookupError` for a subject that is not there.
    """

    place: str
    label: str
    fields: tuple[str, ...]
    do: Callable[[HomeReading, Mapping[str, str], PageSession], str]


def session_of(request: Request) -> PageSession:
    """Return the session of a request, one whose forms are all refused where no door stands before the pages."""
    session: PageSession = request.scope.get(SESSION, PageSession(""))
    return session


async def proven_form(request: Request, fields: tuple[str, ...]) -> dict[str, str]:
    """Return the fields of a form that a page of this session holds, "" for one that was left out.

    Raises `ConfigError` for a body that is no form, unknown fields, and without the token of the session.
    """
    given = await form_of(request)
    token, session = given.pop(CSRF, ""), session_of(request)
    if not session.csrf or not hmac.compare_digest(token.encode(), session.csrf.encode()):
        cause = "the page is of an earlier session: load it again"
        raise ConfigError("a form without the token of this session", "a form of a page shown in it", cause)
    if strange := sorted(set(given) - set(fields)):
        raise ConfigError(f"the form has no field {strange[0][:40]!r}", f"one of {', '.join(fields) or 'none'}")
    return {name: given.get(name, "") for name in fields}
