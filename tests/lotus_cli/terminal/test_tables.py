"""Tables keep within the terminal: what matters last goes first, and --wide leaves nothing out."""

import shutil
from os import terminal_size

import pytest

from lotus_cli.terminal import tables
from lotus_cli.terminal.tables import TableColumn, folded, markdown, numbers, table

COLUMNS = (TableColumn("name"), TableColumn("said", least=12), *numbers("one", "two"), TableColumn("rarely asked for"))
ROWS = [("alpha", "a text of some words that may be folded", "1", "22", "x" * 40), ("[b]", "short", "333", "4", "y")]


@pytest.fixture(params=[60, 80, 120])
def wide(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: terminal_size((request.param, 24)))
    monkeypatch.setenv("TERM", "dumb")
    return int(request.param)


def test_a_table_keeps_within_the_terminal_and_names_what_it_hides(wide: int) -> None:
    text = table(COLUMNS, ROWS)
    assert max(map(len, text.splitlines())) <= wide
    assert ("(--wide also shows: rarely asked for)" in text) == (wide < 80)
    assert "[b]" in text
    assert all(word in text.split() for word in ROWS[0][1].split())
    whole = table(COLUMNS, ROWS, wide=True)
    assert "x" * 40 in whole
    assert ROWS[0][1] in whole
    assert "--wide" not in whole


def test_without_a_terminal_there_is_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    page = "# Title\n\nA **word** and a table:\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"
    text = f"{table(COLUMNS, ROWS)}\n{markdown(page)}"
    assert "\x1b" not in text
    assert "**" not in text
    assert "| ---" not in text
    assert max(map(len, text.splitlines())) <= tables.PIPED
    assert folded("word " * 60, "  ").count("\n  word") == 2


def test_rows_stand_in_their_order_with_numbers_to_the_right() -> None:
    head, rule, first, second = table((TableColumn("name"), *numbers("n")), [("a", "1"), ("b", "10")]).splitlines()
    assert (head, first, second) == ("name   n", "a      1", "b     10")
    assert set(rule) == {"─"}
