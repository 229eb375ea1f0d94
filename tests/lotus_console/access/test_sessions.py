"""A form is taken only with the token of its session, and with the fields that it may hold."""

import asyncio
from urllib.parse import urlencode

import pytest
from starlette.requests import Request

import lotus_console.access.sessions as sessions
from lotus.errors import ConfigError
from lotus_console.access.sessions import CSRF, SESSION, VALID_S, PageSession, proven_form

FIELDS = {"kind": "reject", "target": "b"}
FORM = b"application/x-www-form-urlencoded"


def taken(body: bytes, session: PageSession | None, kind: bytes = FORM) -> dict[str, str]:
    scope = {"type": "http", "method": "POST", "path": "/x", "headers": [(b"content-type", kind)], "query_string": b""}

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return asyncio.run(proven_form(Request(scope | ({SESSION: session} if session else {}), receive), ("word", "who")))


def test_a_form_of_the_session_is_taken_and_what_is_left_out_is_empty() -> None:
    assert taken(urlencode({CSRF: "s3", "word": "é&="}).encode(), PageSession("s3")) == {"word": "é&=", "who": ""}


@pytest.mark.parametrize(
    ("body", "session"),
    [
        (b"word=x", PageSession("s3")), (b"csrf=s4&word=x", PageSession("s3")), (b"csrf=&word=x", PageSession("")),
        (b"csrf=s3&word=x", None), (b"csrf=s3&strange=1", PageSession("s3")),
        (b"csrf=s3&word=x&word=y", PageSession("s3")), (b"csrf=s3&word=%00", PageSession("s3")),
        (b"csrf=s3&word=" + b"a" * 70_000, PageSession("s3")), (b"csrf=s3&word=\xff", PageSession("s3")),
    ],
)  # fmt: skip
def test_any_other_is_refused(body: bytes, session: PageSession | None) -> None:
    with pytest.raises(ConfigError):
        taken(body, session)


def test_a_body_of_another_type_is_refused() -> None:
    with pytest.raises(ConfigError, match="another type"):
        taken(b'{"csrf": "s3"}', PageSession("s3"), b"application/json")


def test_a_bound_token_holds_for_its_form_and_session_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    session, now = PageSession("s3"), [1_000_000.0]
    monkeypatch.setattr(sessions.time, "time", lambda: now[0])
    token = session.bound("send", FIELDS)
    session.check(token, "send", dict(reversed(FIELDS.items())))
    for wrong in (
        lambda: session.check(token, "form", FIELDS),
        lambda: session.check(token, "send", FIELDS | {"target": "c"}),
        lambda: session.check(token, "send", FIELDS | {"more": ""}),
        lambda: session.check("1" + token, "send", FIELDS),
        lambda: session.check("", "send", FIELDS),
        lambda: session.check(session.csrf, "send", FIELDS),
        lambda: PageSession("s4").check(token, "send", FIELDS),
        lambda: PageSession("").check(PageSession("").bound("send", FIELDS), "send", FIELDS),
    ):
        with pytest.raises(ConfigError, match="token"):
            wrong()
    now[0] += VALID_S + 1
    with pytest.raises(ConfigError, match="hour"):
        session.check(token, "send", FIELDS)
