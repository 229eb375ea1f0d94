"""The committed page of frame columns is the one that the table of columns makes."""

from pathlib import Path

from frames_page import frames_page

from lotus.microtape.frames.spec import FLOAT_COLUMNS, INT_COLUMNS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "frames.md"


def test_the_page_is_the_one_that_the_code_makes() -> None:
    assert PAGE.read_text() == frames_page(), "python docs/build/frames_page.py > docs/reference/frames.md"


def test_every_column_has_one_line_with_unit_formula_null_rule_and_range() -> None:
    lines = frames_page().splitlines()
    for column in INT_COLUMNS + FLOAT_COLUMNS:
        (line,) = [text for text in lines if text.startswith(f"| `{column.name}` |") and text.count(" | ") == 5]
        for part in (column.unit, column.formula, str(column.null)):
            assert part in line
