"""The reference page of signals is the one that the schemas make."""

from pathlib import Path

from signals_page import signals_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "signals.md"


def test_the_page_is_that_of_the_schemas() -> None:
    assert PAGE.read_text() == signals_page(), "python docs/build/signals_page.py > docs/reference/signals.md"
