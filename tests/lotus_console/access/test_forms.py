"""Tokens of forms: bound to what the form says, to this console, and to an hour."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

import lotus_console.access.forms as forms
from lotus.errors import ConfigError
from lotus_console.access.forms import VALID_S, FormTokens, form_of

FIELDS = {"kind": "reject", "target": "b"}


def test_a_token_holds_for_its_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, now = FormTokens(), [1_000_000.0]
    monkeypatch.setattr(forms.time, "time", lambda: now[0])
    token = tokens.made("send", FIELDS)
    tokens.check(token, "send", dict(reversed(FIELDS.items())))
    for wrong in (
        lambda: tokens.check(token, "form", FIELDS),
        lambda: tokens.check(token, "send", FIELDS | {"target": "c"}),
        lambda: tokens.check(token, "send", FIELDS | {"more": ""}),
        lambda: tokens.check("1" + token, "send", FIELDS),
        lambda: tokens.check("", "send", FIELDS),
        lambda: FormTokens().check(token, "send", FIELDS),
    ):
        with pytest.raises(ConfigError, match="token"):
            wrong()
    now[0] += VALID_S + 1
    with pytest.raises(ConfigError, match="hour"):
        tokens.check(token, "send", FIELDS)


def test_a_form_that_ends_early_is_refused_like_any_wrong_one() -> None:
    parts: list[Message] = [{"type": "http.request", "body": b"a=", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return parts.pop(0)

    headers = [(b"content-type", forms.FORM_TYPE.encode())]
    with pytest.raises(ConfigError, match="ends early"):
        asyncio.run(form_of(Request({"type": "http", "method": "POST", "headers": headers}, receive)))
