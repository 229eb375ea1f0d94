"""The format in words and as plain values: every column in both, with what it must be."""

import json

from lotus.own_signals.columns import COLUMNS
from lotus.own_signals.report.format_text import columns_json, columns_text


def test_every_column_is_told_with_its_kind_and_whether_it_must_be_there() -> None:
    text, plain = columns_text(), json.loads(json.dumps(columns_json()))
    assert [row["name"] for row in plain["columns"]] == [c.name for c in COLUMNS]
    for c, row in zip(COLUMNS, plain["columns"], strict=True):
        line = next(line for line in text.splitlines() if line.startswith(f"{c.name}   "))
        assert c.kind in line
        assert line.endswith("required" if row["required"] else "optional")
        assert f"null: {row['null']}; example: {row['example']}" in text
    assert plain["example"] in text
    assert plain["config"].strip() in text
