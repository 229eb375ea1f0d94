"""The pages and schemas that are written from the manifests."""

from pathlib import Path

from lotus.modules.intents import Module
from lotus.modules.messages.catalogue import sent_by
from lotus_modules.handlers import handler_names
from lotus_store.manifests.pages import pages

ROOT = Path(__file__).resolve().parents[2]


def test_the_written_pages_and_schemas_are_those_of_the_manifests() -> None:
    stale = [
        str(p) for p, text in pages(handler_names()).items() if (ROOT / "docs" / "reference" / p).read_text() != text
    ]
    assert stale == [], "lotus modules docs --write"


def test_the_map_page_draws_every_route_between_modules() -> None:
    page = pages(handler_names())[Path("modules.md")]
    assert "dm -- DM_DECISION" in page.split("```")[1]
    for ref in (ref for module in Module for ref in sent_by(module)):
        assert f"`{ref}`" in page
