"""Pictures of the docs site are those that a test kept; where none is there, a sentence stands."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docs_site
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def built(source: str, markdown: str, files: set[str]) -> str:
    """Return a page as the site shows it, where these files are in the site."""
    page: Any = SimpleNamespace(file=SimpleNamespace(src_uri=source))
    there: Any = SimpleNamespace(get_file_from_path=lambda uri: uri if uri in files else None)
    return docs_site.on_page_markdown(markdown, page, there)


def test_a_picture_that_was_kept_is_shown_and_another_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs_site, "ARTEFACTS", tmp_path)
    (tmp_path / "console-loom.png").write_bytes(b"picture")
    text = "# A\n\n<!-- seen: console-loom, A number, step by step -->\n\n<!-- seen: console-home, Home -->\n"
    found = built("concepts/console.md", text, {"seen/console-loom.png"})
    assert "![A number, step by step](../seen/console-loom.png)" in found
    assert "*Home: `make pictures` and then `make docs` show it here.*" in found


def test_every_picture_that_a_page_wants_is_kept_by_a_test() -> None:
    wanted = {name for page in PAGES for name, _ in docs_site.SEEN.findall(page.read_text())}
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert wanted >= {"console-loom", "console-home"}
    assert wanted <= set(re.findall(r'\.keep\("([\w-]+)"\)', tests))
