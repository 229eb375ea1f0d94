"""The body of a form, read within bounds."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from lotus.errors import ConfigError

LARGEST: Final = 64 * 1024  # bytes of a body
FIELDS: Final = 20
FORM_TYPE: Final = "application/x-www-form-urlencoded"


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
