"""The pages and schemas that are written from the manifests."""

from pathlib import Path

from lotus_store.manifests.pages import pages
from lotus_store.manifests.payload_types import validators

ROOT = Path(__file__).resolve().parents[2]


def test_the_written_pages_and_schemas_are_those_of_the_manifests() -> None:
    stale = [str(p) for p, text in pages().items() if (ROOT / "docs" / "reference" / p).read_text() != text]
    assert stale == [], "lotus modules docs --write"


def test_the_map_page_draws_every_route_between_modules() -> None:
    page = pages()[Path("modules.md")]
    assert "dm -- DM_DECISION" in page.split("```")[1]
    for ref in validators():
        assert f"`{ref}`" in page
