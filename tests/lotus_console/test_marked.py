"""Cards in blocks: what is no heading and no table stays a text, however it looks."""

import pytest

from lotus_console.marked import blocks


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](//evil.example)", "---"]
)
def test_a_card_brings_no_markup_of_its_own(text: str) -> None:
    assert blocks(text) == [{"kind": "text", "level": 0, "text": text, "rows": []}]
    (table,) = blocks(f"| a | b |\n| --- | --- |\n| {text} | - |")
    assert table["rows"] == [["a", "b"], [text, "-"]]


def test_a_table_at_the_end_and_two_in_turn_are_whole() -> None:
    page = "## T\n| a |\n| --- |\n| 1 |\n\n| b |\n| --- |\n| 2 |"
    assert [(one["kind"], one["rows"]) for one in blocks(page)] == [
        ("heading", []), ("table", [["a"], ["1"]]), ("table", [["b"], ["2"]])
    ]  # fmt: skip
