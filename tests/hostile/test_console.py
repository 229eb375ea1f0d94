"""`lotus_console/server.py` under attack: nothing is changed, nothing leaks, no text becomes markup or SQL."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest

from lotus.loopback import own_name
from lotus_console.access.door import Door, Entry, hosts_of
from lotus_console.changes import LISTENERS
from lotus_console.reading import HomeReading, ReadingDatabases
from lotus_console.sections import SECTIONS
from lotus_console.server import console
from lotus_desk.safety.kill_switch import LIFTED, KillSwitch
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres.queries import MODULES
from tests.hostile.console_attacks import MARKUP, METHODS, TRAVERSALS, Attack, forged, of_view, questions, smuggled, sow
from tests.support.asgi_client import Answer, AsgiClient

PORT, TOKEN = 8000, "token-of-the-attacks"
HOST = f"127.0.0.1:{PORT}"
NAME = own_name("5e" * 16)
TABLES = [table for section in SECTIONS for table in section.tables]
VIEWS = [view for section in SECTIONS for view in section.views]
FIXED = {"/", *(view.place for view in VIEWS if "{" not in view.place), *(table.place for table in TABLES)}


@pytest.fixture(scope="module")
def reading(
    migrated: Databases, pg_home: Path, server_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HomeReading]:
    """A home in which everybody wrote hostile texts, read as the console's own role."""
    settings = replace(Settings(pg_home), branch="main", tape="live")
    for module in MODULES:
        with migrated.connect(module) as connection:
            sow(connection, module)
    with ReadingDatabases(settings) as databases:
        place = replace(settings, home=tmp_path_factory.mktemp("home"), server_dsn=server_dsn)
        (place.home / "live").mkdir()
        text = [{"time_ms": 1, "kind": m, "found": m, "expected": m, "done": m} for m in MARKUP]
        (place.home / "live" / "alerts.jsonl").write_text("\n".join(map(json.dumps, text)))
        (place.home / "live" / "status.json").write_text(json.dumps({"state": MARKUP[0], "run_id": MARKUP[1]}))
        yield HomeReading(place, databases.open())
    with suppress(psycopg.Error):
        from warm import empty_all

        empty_all(migrated)


@pytest.fixture(scope="module")
def owner(reading: HomeReading) -> AsgiClient:
    """A browser that has entered."""
    browser = AsgiClient(Door(console(reading), Entry(PORT, TOKEN, hosts_of(PORT, NAME))), HOST)
    browser.post("/login", {"token": TOKEN})
    return browser


class Markup(HTMLParser):
    """Collects what in a page could run, load or send something."""

    def __init__(self) -> None:
        """Nothing is found."""
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag and its attributes."""
        named = {name: value or "" for name, value in attrs}
        if tag in ("iframe", "img", "style", "base", "object", "embed", "b onmouseover"):
            self.wrong.append(tag)
        if tag == "script" and not named.get("src", "").startswith("/static/"):
            self.wrong.append("script")
        if tag == "meta" and "http-equiv" in named:
            self.wrong.append("meta")
        for name, value in named.items():
            leads = name in ("href", "src", "action", "hx-get", "hx-post")
            if name.startswith(("on", "hx-on", "hx-vals")) or name == "style":
                self.wrong.append(name)
            if (
                leads
                and not (value.startswith("/") and not value.startswith("//"))
                and value not in ("#main", "data:,")
            ):
                self.wrong.append(f"{name}={value}")


def harmless(answer: Answer, place: str) -> None:
    """Assert what must hold of every answer."""
    assert answer.status in (200, 303, 400, 401, 403, 404, 405, 429, 503), (answer.status, place, answer.text[:300])
    assert answer.headers["x-content-type-options"] == "nosniff", place
    assert "default-src 'none'" in answer.headers["content-security-policy"], place
    if answer.status == 303:
        assert answer.headers["location"].startswith("/"), (place, answer.headers["location"])
        assert not answer.headers["location"].startswith(("//", "/\\")), place
    for secret in ("root:x:", "Traceback", "[project]", "psycopg.", TOKEN):
        assert secret not in answer.text, (secret, place)
    if "html" in answer.headers.get("content-type", ""):
        page = Markup()
        page.feed(answer.text)
        assert page.wrong == [], (place, page.wrong)


def rows_of(reading: HomeReading) -> dict[str, int]:
    """Return how many rows every table has; a partition is read through its parent, as the console's role may."""
    found = {}
    for module in MODULES:
        with reading.databases.connect(module) as connection:
            names = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
                " AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            for (name,) in names:
                row = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # type: ignore[call-overload]
                found[f"{module}.{name}"] = row[0]
    return found


def test_no_text_of_others_becomes_markup_in_any_form(owner: AsgiClient) -> None:
    for place in sorted(FIXED):
        for form in (place, f"{place}?page=2" if place not in {v.place for v in VIEWS} else place):
            harmless(owner.get(form), form)
        harmless(owner.get(f"/api/v1{place if place != '/' else '/home'}"), place)
    for table in TABLES:
        answer = owner.get(f"{table.place}.csv")
        harmless(answer, table.place)
        cells = [cell for line in answer.text.splitlines() for cell in line.split(",")]
        assert not [cell for cell in cells if cell.startswith(("=", "@", "\t"))], table.place
        harmless(owner.get(f"{table.place}.parquet"), table.place)
    for k, text in enumerate(MARKUP):
        name = quote(text, safe="")
        for place in (f"/experiments/2026-01-05/run/{name}", f"/letters/sig/inbox/{k}{name}", f"/detectors/{name}"):
            harmless(owner.get(place), place)


@pytest.mark.process("every parameter of every table and page is asked with every hostile text")
def test_no_parameter_becomes_sql_or_markup(owner: AsgiClient, reading: HomeReading) -> None:
    before = rows_of(reading)
    for table in TABLES:
        for name, text in questions(table):
            place = f"{table.place}?{urlencode({name: text})}"
            harmless(owner.get(place), place)
    for view in VIEWS:
        path = view.place.replace("{day}", "2026-01-05").replace("{kind}", "run").replace("{module}", "sig")
        path = path.replace("{", "").replace("}", "")
        for name, text in of_view(view):
            place = f"{path}?{urlencode({name: text})}"
            harmless(owner.get(place), place)
    assert rows_of(reading) == before


def test_paths_methods_and_headers_lead_nowhere(owner: AsgiClient, reading: HomeReading) -> None:
    for place in TRAVERSALS:
        answer = owner.get(place)
        harmless(answer, place)
        assert answer.status in (400, 404, 405) or (answer.status == 200 and "/tape" in place), (place, answer.status)
    for method in METHODS:
        for place in sorted(FIXED):
            answer = owner.ask(method, place)
            harmless(answer, f"{method} {place}")
            assert answer.status in (400, 404, 405), (method, place, answer.status)
    for attack in smuggled(HOST):
        answer = AsgiClient(owner.app, HOST, runner=owner.runner).ask(*_parts(attack))
        harmless(answer, str(attack))
        assert answer.status in (400, 401, 403), attack


def test_no_form_acts_that_no_page_of_the_session_made(owner: AsgiClient, reading: HomeReading) -> None:
    switch, before = KillSwitch(reading.settings.home), rows_of(reading)
    token = owner.get("/live").text.partition('name="csrf" value="')[2].partition('"')[0]
    assert len(token) == 64
    for attack in forged(HOST, token):
        answer = owner.ask(*_parts(attack))
        harmless(answer, str(attack)[:80])
        assert answer.status in (400, 401, 403, 404, 405), (attack, answer.status)
        assert switch.state() == LIFTED, attack
    for letter in ({"module": "pg_catalog"}, {"place": "x"}, {"event_id": "' OR 1=1 --"}, {"reason": ""}, {"who": " "}):
        form = {
            "csrf": token,
            "module": "sig",
            "event_id": "none",
            "place": "inbox",
            "reason": "x",
            "who": "y",
            **letter,
        }
        assert owner.post("/letters/replay", form).status in (400, 404)
    assert rows_of(reading) == before


def test_a_flood_of_listeners_is_bounded_and_leaves_nothing(owner: AsgiClient, reading: HomeReading) -> None:
    app = console(reading)
    scope = {"type": "http", "method": "GET", "path": "/events", "query_string": b"", "headers": [], "root_path": ""}
    statuses: list[int] = []

    async def listen() -> None:
        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await asyncio.sleep(0)

        await app(dict(scope), receive, send)

    async def flood() -> None:
        for _ in range(2):
            tasks = [asyncio.create_task(listen()) for _ in range(3 * LISTENERS)]
            await asyncio.sleep(0.3)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(flood())
    assert (statuses.count(200), statuses.count(503)) == (2 * LISTENERS, 4 * LISTENERS)


def test_the_pages_read_as_a_role_that_cannot_write(reading: HomeReading) -> None:
    for module in MODULES:
        with reading.databases.connect(module) as connection:
            assert connection.info.user == "lotus_console"
            connection.execute("SET default_transaction_read_only = off")
            connection.commit()
            connection.execute("SET transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"DELETE FROM {module}_outbox")  # type: ignore[call-overload]
            connection.rollback()


def test_there_are_enough_of_them() -> None:
    asked = sum(len(list(questions(table))) for table in TABLES) + sum(len(list(of_view(view))) for view in VIEWS)
    others = len(TRAVERSALS) + len(METHODS) * len(FIXED) + len(list(smuggled(HOST))) + len(list(forged(HOST, "0" * 64)))
    assert asked + others >= 300


def _parts(attack: Attack) -> tuple[str, str, tuple[tuple[str, str], ...], bytes]:
    return attack.method, attack.place, attack.headers, attack.body
