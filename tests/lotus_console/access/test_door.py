"""The door before the console: who comes in, what a form must prove, how often a token may be tried."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lotus.errors import ConfigError
from lotus.loopback import own_name
from lotus_console.access.attempts import CLIENTS, MOST, Attempts
from lotus_console.access.door import LASTS_S, Door, Entry, Proxy, hosts_of
from lotus_console.access.forms import LARGEST
from lotus_console.access.sessions import proven_form, session_of
from lotus_console.access.token_file import read_token
from tests.support.asgi_client import AsgiClient

PORT, TOKEN = 8000, "s3cret-Token_x"
NAME = own_name("5e" * 16)
HTML = {"accept": "text/html"}


async def page(request: Request) -> Response:
    """Answer with what the door said of the session, or with the form."""
    session = session_of(request)
    form = await proven_form(request, ("reason",)) if request.method == "POST" else {}
    return JSONResponse({"csrf": session.csrf, "who": session.who, **form})


def refused(_request: Request, error: Exception) -> Response:
    """Answer as the console does."""
    return JSONResponse({"error": str(error)}, 400)


def client(address: str = "127.0.0.1", now_s: Any = None, **given: Any) -> AsgiClient:
    """Return a browser without a session, at an address."""
    entry = Entry(PORT, given.pop("token", TOKEN), hosts_of(PORT, NAME, *given.pop("names", ())), **given)
    app = Starlette(
        routes=[Route("/{rest:path}", page, methods=["GET", "POST"])], exception_handlers={ConfigError: refused}
    )
    door = Door(app, entry, now_s) if now_s else Door(app, entry)
    return AsgiClient(door, f"127.0.0.1:{PORT}", address)


def let_in(**given: Any) -> AsgiClient:
    """Return a browser that has entered."""
    browser = client(**given)
    assert browser.post("/login", {"token": TOKEN, "next": "/x"}).headers["location"] == "/x"
    return browser


def test_a_session_belongs_to_the_name_by_which_it_was_entered() -> None:
    browser, own = client(), {"host": f"{NAME}:{PORT}"}
    answer = browser.get(f"/?token={TOKEN}", headers=own)
    assert (answer.status, "domain" in answer.headers["set-cookie"].lower()) == (303, False)
    assert browser.get("/", headers=own).status == 200
    for host in (f"lotus-{PORT}.localhost:{PORT}", NAME, f"x.{NAME}:{PORT}", f"{NAME}:{PORT + 1}"):
        answer = browser.get("/", headers={"host": host})
        assert (answer.status, NAME in answer.text.replace(host, "")) == (400, False), "a stranger does not learn it"


def test_the_address_and_the_form_let_in_and_the_token_is_no_cookie() -> None:
    browser = client()
    assert browser.get("/", headers=HTML).status == 401
    answer = browser.get(f"/lessons?token={TOKEN}&state=REFUSED")
    assert (answer.status, answer.headers["location"]) == (303, "/lessons?state=REFUSED")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert browser.get("/").status == let_in().get("/").status == 200
    assert browser.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status == 200
    assert browser.post("/logout").status == 303
    assert browser.get("/").status == 401


def test_a_session_ends_and_another_key_or_a_changed_name_is_none() -> None:
    now = [1e9]
    browser = let_in(now_s=lambda: now[0])
    cookie = browser.cookies[f"lotus_console_{PORT}"]
    for text in (
        cookie[:-1] + ("1" if cookie.endswith("0") else "0"),
        "9" + cookie,
        cookie.rpartition(".")[0],
        "9999999999.x.",
        "\xff",
        "",
    ):
        wrong = {"cookie": f"lotus_console_{PORT}={text}"}
        assert client(now_s=lambda: now[0]).get("/", headers=wrong).status == 401, text
    assert browser.get("/").status == 200
    now[0] += LASTS_S + 1
    assert browser.get("/").status == 401
    other = client(token="another-Token_y")
    assert other.get("/", headers={"cookie": f"lotus_console_{PORT}={cookie}"}).status == 401


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nx: y", "", "x"])
def test_the_login_leads_to_no_other_site(place: str) -> None:
    answer = client().post("/login", {"token": TOKEN, "next": place})
    assert (answer.status, answer.headers["location"]) == (303, "/")
    if place.startswith("//"):
        assert client().get(f"{place}?token={TOKEN}").headers["location"] == "/"
        assert "evil" not in client().get(place, headers=HTML).text


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        *((400, {"host": host}) for host in ("evil.example", "127.0.0.1", "127.0.0.1:8001", "", "[::1]:8000")),
        *((403, {"origin": text}) for text in ("http://evil.example", "null", "http://localhost:8000")),
        *((403, {"sec-fetch-site": site}) for site in ("cross-site", "same-site")),
        *((200, {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"})
          for site in ("cross-site", "same-site", "none")),
        (403, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}),
    ],
)  # fmt: skip
def test_another_host_or_page_is_refused_with_a_session_too(status: int, headers: dict[str, str]) -> None:
    assert let_in().get("/", headers=headers).status == status


def test_a_header_that_decides_stands_once() -> None:
    browser = let_in()
    for name in ("host", "cookie", "origin", "authorization", "content-length"):
        value = f"127.0.0.1:{PORT}" if name == "host" else "x"
        assert browser.get("/", headers=[(name, value), (name, value)]).status == 400, name


def test_a_form_proves_its_session() -> None:
    browser, other = let_in(), let_in()
    token = browser.get("/").json()["csrf"]
    good = {"csrf": token, "reason": "too late & <b>"}
    assert browser.post("/x", good).json()["reason"] == "too late & <b>"
    assert token != other.get("/").json()["csrf"]
    assert other.post("/x", good).status == 400
    for wrong in ({"reason": "x"}, {**good, "csrf": ""}, {**good, "csrf": "é"}, {**good, "strange": "1"}):
        assert browser.post("/x", wrong).status == 400, wrong
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for body in (
        f"csrf={token}&csrf={token}", f"csrf={token}&reason=%00", f"csrf={token}&reason=%ff",
        f"csrf={token}&reason=%0b",
        "&".join(f"a{k}=" for k in range(100)), f"csrf={token}&reason=" + "x" * LARGEST,
    ):  # fmt: skip
        assert browser.post("/x", body.encode(), kind).status == 400, body[:80]
    assert browser.post("/x", json.dumps(good).encode(), {"content-type": "application/json"}).status == 400
    assert browser.post("/x", f"csrf={token}&reason=".encode(), kind).status == 200


def test_wrong_tokens_are_counted_by_client_and_forgotten() -> None:
    browser = client()
    for _ in range(MOST):
        assert browser.post("/login", {"token": "x"}).status == 401
    assert browser.post("/login", {"token": TOKEN}).status == 429
    assert browser.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status == 429
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for k in range(MOST):
        attempts.failed(f"2001:db8::{k + 1}")
    assert attempts.wait_s("2001:db8::ffff") > 0.0 == attempts.wait_s("2001:db9::1")
    now[0] += 60.0
    assert attempts.wait_s("2001:db8::1") == 0.0
    for k in range(3 * CLIENTS):
        attempts.failed(f"10.0.{k // 256}.{k % 256}")
    assert len(attempts._spent) == CLIENTS
    assert attempts.wait_s("192.0.2.9") > 0.0, "many clients are one flood"


def test_a_proxy_is_believed_at_its_address_alone() -> None:
    proxy = Proxy("192.0.2.7", "X-User")
    ana = {"x-user": "ana@example"}
    for token in (TOKEN, ""):
        assert client("192.0.2.7", proxy=proxy, token=token).get("/", headers=ana).json()["who"] == "ana@example"
        assert client("192.0.2.8", proxy=proxy, token=token).get("/", headers=ana).status == 401
        assert client("192.0.2.7", proxy=proxy, token=token).get("/", headers={"x-user": "<b>"}).status == 401
        assert client("192.0.2.7", proxy=proxy, token=token).get("/").status == 401
    twice = [("x-user", "ana"), ("X-User", "root")]
    assert client("192.0.2.7", proxy=proxy).get("/", headers=twice).status == 400
    assert client(token="").post("/login", {"token": ""}).status == 401


def test_a_token_file_is_private_and_cannot_be_guessed(tmp_path: Path) -> None:
    place, word = tmp_path / "token", os.urandom(16).hex()
    place.write_text(word + "\n")
    place.chmod(0o600)
    assert read_token(place) == word
    for text in ("", "short", "a" * 64, word[:30], f"{word} {word}", "é" * 40):
        place.write_text(text)
        with pytest.raises(ConfigError, match="token of"):
            read_token(place)
    place.write_text(word)
    place.chmod(0o640)
    with pytest.raises(ConfigError, match="0640"):
        read_token(place)
    (tmp_path / "link").symlink_to(place)
    for other in (tmp_path / "link", tmp_path / "none", tmp_path):
        with pytest.raises(ConfigError, match="token file"):
            read_token(other)


def test_no_websocket_enters() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(client().app({"type": "websocket", "headers": []}, None, send))  # type: ignore[arg-type]
    assert sent[0]["code"] == 1008


def test_links_lead_to_dagster_with_the_token_and_nobody_else_gets_it() -> None:
    dagster = {"dagster_url": "http://127.0.0.1:3000"}
    answer = let_in(**dagster).get("/dagster/assets/lessons?partition=2026-01-18")
    assert answer.status == 303
    assert answer.headers["location"] == f"http://127.0.0.1:3000/assets/lessons?partition=2026-01-18&token={TOKEN}"
    assert TOKEN not in client(**dagster).get("/dagster/", headers=HTML).text
    browser = let_in(dagster_url=f"http://{NAME}:3000")
    for host in ("127.0.0.1", NAME):
        answer = browser.get("/dagster/", headers={"host": f"{host}:{PORT}"})
        assert answer.headers["location"].startswith(f"http://{host}:3000/?token="), "links stay on one site"
    assert let_in().get("/dagster/").status == 200, "without Dagster it is a page like any other"
    for place in ("/dagster//evil.example", "/dagster/@evil.example", "/dagster/%0d%0ax"):
        assert let_in(**dagster).get(place).headers["location"].startswith("http://127.0.0.1:3000/")
