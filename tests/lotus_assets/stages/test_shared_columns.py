"""Columns that stages share: read once, handed on by who made them, and not kept when there are too many rows."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.columns import Column, TableSpec
from lotus_assets.stages import shared_columns
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.shared_columns import hand_on, read_shared
from lotus_store.columns import places_of
from lotus_store.ledger.day_commits import DayCommit

SPEC = TableSpec("shared", ("name",), (Column("name", "text", "", ""), Column("n", "i4", "", "")))
ROWS = {"n": np.array([1, 2], np.int32), "name": np.array(["a", "b"], dtype=object)}


def committed(ctx: StageContext, rows: int = 2) -> DayCommit:
    """The record of a stage that wrote `ROWS`."""
    written = ctx.lake.write(SPEC, ctx.branch, "2026-01-05", ROWS)
    return DayCommit(ctx.branch, "2026-01-05", "shared", written.content_hash, rows, "")


def test_a_column_is_read_once_and_the_others_when_they_are_asked_for(ctx: StageContext) -> None:
    commit = committed(ctx)
    first = read_shared(ctx, "shared", commit, ["n"])
    ctx.lake.remove("shared", ctx.branch, commit.day)
    assert read_shared(ctx, "shared", commit, ["n"])["n"] is first["n"]
    committed(ctx)
    assert read_shared(ctx, "shared", commit, ["name", "n"])["name"].tolist() == ["a", "b"]
    other = replace(commit, content_hash="other")
    assert read_shared(ctx, "shared", other, ["n"])["n"] is not first["n"]


def test_what_was_just_written_is_not_read_and_has_the_types_of_the_lake(ctx: StageContext) -> None:
    commit = committed(ctx)
    ctx.lake.remove("shared", ctx.branch, commit.day)
    hand_on(ctx, SPEC, commit.day, commit.content_hash, {**ROWS, "n": np.array([1, 2], np.int16)})
    table = read_shared(ctx, "shared", commit, ["name", "n"])
    assert {name: values.dtype for name, values in table.items()} == {"name": np.dtype(object), "n": np.dtype(np.int32)}


def test_a_large_table_is_read_anew(ctx: StageContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_columns, "MOST_ROWS", 1)
    commit = committed(ctx)
    hand_on(ctx, SPEC, commit.day, commit.content_hash, ROWS)
    first = read_shared(ctx, "shared", commit, ["n"])
    assert read_shared(ctx, "shared", commit, ["n"])["n"] is not first["n"]


def test_places_are_those_of_a_plain_search() -> None:
    names = np.array([f"{k:02d}" for k in range(40)][::-1], dtype=object)
    asked = np.array(["07", "missing", "39"], dtype=object)
    assert places_of(asked, names).tolist() == [names.tolist().index("07"), -1, 0]
    assert places_of(asked[:0], names).tolist() == []
