"""`/api/v1`: its description is OpenAPI 3.1, answers are as described, and a page hears that something is new."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lotus_console import changes
from lotus_console.reading import HomeReading, ReadingDatabases
from lotus_console.sections import SECTIONS
from lotus_console.server import console
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres.queries import MODULES
from tests.hostile.console_attacks import MARKUP, sow
from tests.support.asgi_client import AsgiClient

OFFICIAL = json.loads((Path(__file__).parent / "openapi-3.1.schema.json").read_text())
SUBJECTS = {
    "{day}": "2026-01-05", "{kind}": "run", "{name}": "javascript%3Aalert(1)", "{module}": "sig", "{place}": "inbox",
    "{event_id}": f"4{MARKUP[4].replace(':', '%3A')}", "{detector_id}": "micro_drift",
}  # fmt: skip


@pytest.fixture
def reading(databases: Databases, settings: Settings, tmp_path: Path) -> Iterator[HomeReading]:
    """A home with rows in most tables."""
    for module in MODULES:
        with databases.connect(module) as connection:
            sow(connection, module)
    with ReadingDatabases(replace(settings, home=tmp_path / "home")) as opened:
        yield HomeReading(replace(settings, home=tmp_path / "home"), opened.open())


def test_the_description_is_openapi_and_answers_are_as_described(reading: HomeReading) -> None:
    client = AsgiClient(console(reading), "127.0.0.1:8000")
    document = client.get("/api/v1/openapi.json").json()
    Draft202012Validator.check_schema(OFFICIAL)
    assert [error.message for error in Draft202012Validator(OFFICIAL).iter_errors(document)] == []
    names = [path["get"]["operationId"] for path in document["paths"].values()]
    assert len(names) == len(set(names)) >= 20
    shown = 0
    for place, path in document["paths"].items():
        for name, value in SUBJECTS.items():
            place = place.replace(name, value)
        answer = client.get(place)
        responses = path["get"]["responses"]
        assert str(answer.status) in responses, (place, answer.text[:200])
        schema = responses[str(answer.status)]["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(answer.json())] == [], place
        shown += len(answer.json().get("rows", ()))
    assert shown > 100
    tables = [table for section in SECTIONS for table in section.tables]
    assert all(f"/api/v1/{table.name}" in document["paths"] for table in tables)
    assert client.get("/api/v1/tape_days?strange=1").status == 400
    assert "expected" in client.get("/api/v1/tape_days?strange=1").json()["error"]


def test_a_page_hears_that_something_new_is_stored(
    reading: HomeReading, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "LOOK_S", 0.02)
    app, heard = console(reading), asyncio.Queue[bytes]()
    scope = {"type": "http", "method": "GET", "path": "/events", "query_string": b"", "headers": [], "root_path": ""}

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        if message.get("body"):
            await heard.put(message["body"])

    async def listened() -> list[bytes]:
        async with app.router.lifespan_context(app):
            task = asyncio.create_task(app(scope, receive, send))
            begun = await asyncio.wait_for(heard.get(), 5)
            await asyncio.sleep(0.1)
            with databases.connect("sig") as connection:
                connection.execute("UPDATE day_commits SET committed_at = now() + interval '1 day'")
            news = await asyncio.wait_for(heard.get(), 5)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return [begun, news]

    begun, news = asyncio.run(listened())
    assert begun.startswith(b"retry:")
    assert news.startswith(b"event: changed\ndata: ")
