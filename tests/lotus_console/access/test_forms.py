"""The body of a form is read once, whole, as text, within bounds."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from lotus.errors import ConfigError
from lotus_console.access.forms import FIELDS, FORM_TYPE, LARGEST, form_of


def read(body: bytes, kind: bytes = b"application/x-www-form-urlencoded", pieces: int = 1) -> dict[str, str]:
    step = max(1, -(-len(body) // pieces))
    parts = [body[k : k + step] for k in range(0, len(body), step)] or [b""]

    async def receive() -> dict[str, object]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    headers = [(b"content-type", kind)]
    return asyncio.run(form_of(Request({"type": "http", "method": "POST", "headers": headers}, receive)))


def test_fields_come_as_they_were_typed_in_however_many_pieces() -> None:
    assert read(b"a=%3Cb%3E&b=&c=1+2%0D%0Ax", pieces=7) == {"a": "<b>", "b": "", "c": "1 2\r\nx"}
    assert read(b"", b"Application/X-www-form-urlencoded; charset=utf-8") == {}
    assert len(read(b"&".join(b"f%d=1" % k for k in range(FIELDS)))) == FIELDS


@pytest.mark.parametrize("body", [
    b"a=1&a=2", b"a=%00", b"a=%ff", "a=\u00e9".encode(), b"a=%E2%80%AE", b"%00=1", b"a=" + b"x" * LARGEST,
    b"&".join(b"f%d=1" % k for k in range(FIELDS + 1)),
])  # fmt: skip
def test_any_other_body_is_refused(body: bytes) -> None:
    with pytest.raises(ConfigError, match="expected"):
        read(body)


@pytest.mark.parametrize("kind", [b"", b"text/plain", b"application/json", b"multipart/form-data; boundary=x"])
def test_a_body_of_another_type_is_refused(kind: bytes) -> None:
    with pytest.raises(ConfigError, match="another type"):
        read(b"a=1", kind)


def test_a_form_that_ends_early_is_refused_like_any_wrong_one() -> None:
    parts: list[Message] = [{"type": "http.request", "body": b"a=", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return parts.pop(0)

    headers = [(b"content-type", FORM_TYPE.encode())]
    with pytest.raises(ConfigError, match="ends early"):
        asyncio.run(form_of(Request({"type": "http", "method": "POST", "headers": headers}, receive)))
