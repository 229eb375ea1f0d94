"""The reference page of events files is the one that the table of columns makes, which the terminal shows too."""

from pathlib import Path

from own_signals_page import own_signals_page

from lotus.own_signals.columns import COLUMNS, column
from lotus.own_signals.report.format_text import columns_text

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "own_signals.md"


def test_the_page_is_that_of_the_columns() -> None:
    text = PAGE.read_text("utf-8")
    assert text == own_signals_page(), "python docs/build/own_signals_page.py > docs/reference/own_signals.md"
    for c in COLUMNS:
        assert c.meaning in text
        assert c.meaning in " ".join(columns_text().split())
    assert column("x_anything").name == "x_*"
