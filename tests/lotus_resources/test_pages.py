"""The door before Dagster's pages: whose requests come through, and what the others are told."""

import asyncio
import sys

import pytest

from lotus.errors import ConfigError
from lotus.loopback import own_name
from lotus_resources.pages import TOKEN_ENV, AccessMiddleware, main

PORT, TOKEN = 3000, "s3cret-Token_x"
HERE = "127.0.0.1:3000"
NAME = own_name("5e" * 16)
COOKIE = f"lotus_{PORT}={TOKEN}"


def ask(method="POST", path="/graphql", query="", kind="http", **headers):
    """Return (status, headers) of a request; 200 when it came through to the application."""
    sent, named = [], {"host": HERE} | {k.replace("_", "-"): v for k, v in headers.items()}

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path, "query_string": query.encode(),
             "headers": [(k.encode(), v.encode("latin-1")) for k, v in named.items()]}  # fmt: skip
    asyncio.run(AccessMiddleware(app, PORT, TOKEN, NAME)(scope, None, send))
    first = sent[0]
    return first.get("status", first.get("code")), dict(first.get("headers", []))


@pytest.mark.parametrize(
    "headers", [{"cookie": COOKIE}, {"cookie": f"a=b; {COOKIE}"}, {"authorization": f"Bearer {TOKEN}"}]
)
def test_who_shows_the_token_comes_in(headers):
    assert ask(**headers)[0] == 200
    assert ask(origin=f"http://{HERE}", sec_fetch_site="same-origin", **headers)[0] == 200
    assert ask("GET", "/runs", **headers)[0] == 200
    assert ask(kind="websocket", **headers)[0] == 200


def test_the_address_with_the_token_becomes_a_cookie_and_leaves_the_address():
    status, headers = ask("GET", "/runs", f"token={TOKEN}&view=all")
    assert (status, headers[b"location"]) == (303, b"/runs?view=all")
    assert headers[b"set-cookie"] == f"{COOKIE}; HttpOnly; SameSite=Strict; Path=/".encode()


@pytest.mark.parametrize(
    "headers",
    [
        *({"cookie": text} for text in ("lotus_3000=", "lotus_3000=wrong", "\x00;;=", f"lotus_3001={TOKEN}")),
        *({"authorization": text} for text in ("", "Bearer", f"Bearer {TOKEN}x")),
    ],
)
def test_without_the_token_nothing_is_answered(headers):
    assert ask(**headers)[0] == 401
    assert ask("GET", "/", **headers)[0] == 401
    assert ask(kind="websocket", **headers)[0] == 1008


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:3001", "", "localhost:3000.evil", "[::1]:3000"]
)
def test_another_host_is_refused_even_with_the_token(host):
    assert ask(host=host, cookie=COOKIE)[0] == 400
    assert ask(kind="websocket", host=host, cookie=COOKIE)[0] == 1008


@pytest.mark.parametrize(
    "headers",
    [
        *({"origin": text} for text in ("http://evil.example", "null", "http://localhost:3000")),
        *({"sec_fetch_site": text} for text in ("cross-site", "same-site")),
    ],
)
def test_another_page_is_refused_even_with_the_token(headers):
    assert ask(cookie=COOKIE, **headers)[0] == 403
    assert ask(kind="websocket", cookie=COOKIE, **headers)[0] == 1008


def test_a_link_of_another_server_of_this_machine_opens_a_page():
    link = {"sec_fetch_site": "same-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert ask("GET", "/runs", cookie=COOKIE, **link)[0] == 200
    assert ask("GET", "/runs", cookie=COOKIE, **{**link, "sec_fetch_site": "cross-site"})[0] == 403
    assert ask("GET", "/runs", cookie=COOKIE, **{**link, "sec_fetch_dest": "iframe"})[0] == 403
    assert ask("POST", "/graphql", cookie=COOKIE, origin="http://127.0.0.1:8000", **link)[0] == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_nothing_is_changed_by_get(method):
    assert ask(method, "/graphql", "query=mutation%7Bx%7D", cookie=COOKIE)[0] == 405
    assert ask(method, "/graphql", f"token={TOKEN}&query=mutation%7Bx%7D")[0] == 405


def test_the_home_s_own_name_is_answered_and_another_s_is_not():
    ours, others = (f"{name}:{PORT}" for name in (NAME, own_name("5f" * 16)))
    assert ask(host=ours, origin=f"http://{ours}", cookie=COOKIE)[0] == 200
    assert ask(host=others, origin=f"http://{others}", cookie=COOKIE)[0] == 400


def test_a_token_that_could_be_guessed_serves_nothing(monkeypatch):
    monkeypatch.setenv(TOKEN_ENV, "0123456789")
    monkeypatch.setattr(sys, "argv", ["pages", "-p", str(PORT)])
    with pytest.raises(ConfigError, match=r"LOTUS_PAGES_TOKEN has at most \d+ bits"):
        main()
