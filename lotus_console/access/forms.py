"""Forms that act: their body, read within bounds, and the token without which none is taken.

A token is bound to what its form says, so what is sent is what was previewed, and to the run of this console; it ends
after an hour. In the literature: synchroniser tokens against cross-site request forgery.
"""

import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from lotus.errors import ConfigError

LARGEST: Final = 64 * 1024  # bytes of a body
FIELDS: Final = 20
VALID_S: Final = 3600
TOKEN: Final = "form_token"
FORM_TYPE: Final = "application/x-www-form-urlencoded"


class FormTokens:
    """Tokens of one run of the console."""

    def __init__(self) -> None:
        """Draw the secret."""
        self._secret = secrets.token_bytes(32)

    def made(self, purpose: str, fields: Mapping[str, str]) -> str:
        """Return the token of a form whose fixed fields these are."""
        since = f"{int(time.time())}"
        return f"{since}.{self._mac(purpose, since, fields)}"

    def check(self, token: str, purpose: str, fields: Mapping[str, str]) -> None:
        """Raise `ConfigError` for a token that is none of this form, or of more than an hour ago."""
        since, _, mac = token.partition(".")
        is_whole = since.isascii() and since.isdigit() and len(since) < 12
        is_own = hmac.compare_digest(mac.encode(), self._mac(purpose, since, fields).encode())
        if not is_whole or not is_own or not 0 <= time.time() - int(since) <= VALID_S:
            cause = "it is older than an hour, or the console began anew"
            raise ConfigError("the form's token is not the one that this page gave", "one of this form", cause)

    def _mac(self, purpose: str, since: str, fields: Mapping[str, str]) -> str:
        text = json.dumps([purpose, since, sorted(fields.items())])
        return hmac.digest(self._secret, text.encode(), "sha256").hex()


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form's body, each once; raises `ConfigError` for any other body."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise ConfigError("a body of another type", FORM_TYPE)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                raise ConfigError(f"a form of more than {LARGEST:,} bytes", f"at most {LARGEST:,}")
    except ClientDisconnect:  # nobody reads the answer, and no log needs its traceback
        raise ConfigError("a form that ends early", "all of its bytes") from None
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except (ValueError, UnicodeError):
        raise ConfigError("a form that cannot be read", f"at most {FIELDS} fields, percent-encoded UTF-8") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ConfigError("a form with a field twice", "each field once")
    wrong = next(
        (name for name, text in pairs if not (name + text).replace("\r\n", "\n").replace("\n", "").isprintable()), None
    )
    if wrong is not None:
        raise ConfigError(f"{wrong[:40]!r} holds a character that cannot be printed", "text")
    return fields
