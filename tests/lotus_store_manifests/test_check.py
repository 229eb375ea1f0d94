"""Differences between manifests, code and live databases: every one is found and printed."""

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from lotus.modules.intents import Intent, Module
from lotus_cli.main import main
from lotus_modules.handlers import handler_names
from lotus_store.databases import Databases
from lotus_store.manifests import check
from lotus_store.manifests.model import ManifestColumn, ManifestTable, load_manifest

HANDLERS = handler_names()
STRAND = "INSERT INTO sig_strand (id, lifecycle_id, kind, sq) VALUES ('a', 'a', 'k',"


def test_manifests_code_and_live_databases_agree(databases: Databases) -> None:
    assert check.differences(HANDLERS, databases) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("CREATE TABLE stranger (a int)", "sig: stranger is in the database only"),
        ("DROP TABLE control", "sig: control is missing in the database"),
        ("ALTER TABLE control ADD COLUMN more text", r"sig: control.more is .'text', True."),
        ("ALTER TABLE day_commits ALTER COLUMN rows TYPE integer", "sig: day_commits.rows is .'integer', False."),
        ("ALTER TABLE day_commits ALTER COLUMN notes DROP NOT NULL", "sig: day_commits.notes is .'jsonb', True."),
        ("ALTER TABLE control DROP CONSTRAINT control_pkey", "sig: control has the primary key "),
        (f"{STRAND} 1.5)", "sig_strand.sq has 1 values"),
        (f"{STRAND} 'NaN')", "sig_strand.sq has 1 values"),
    ],
)  # fmt: skip
def test_a_difference_of_a_live_database_is_found(databases: Databases, change: str, found: str) -> None:
    with databases.owner("sig") as c:
        c.execute(change)  # type: ignore[call-overload]
        lines = list(check.live_wrong(c, load_manifest("sig")))
        c.rollback()
    assert len(lines) == 1
    assert re.search(found, lines[0])


def test_what_a_manifest_leaves_open_is_found() -> None:
    bare = ManifestColumn(type="double precision")
    wrong = {
        "lag_ms": ManifestColumn(type="bigint", unit="s"),
        "plain": bare,
        "empty": ManifestColumn(type="double precision", unit="1", range=(1.0, 1.0)),
        "first": ManifestColumn(type="text", key="dm.word"),
        "second": ManifestColumn(type="text", key="dm.word"),
        "stray": ManifestColumn(type="text", key="sig.stray"),
        "id": ManifestColumn(type="text"),
    }
    manifest = msgspec.structs.replace(
        load_manifest("dm"), tables={"dm_strand": ManifestTable(kind="table", pk=("nothing",), columns=wrong)}
    )
    text = "\n".join(check.columns_wrong(manifest))
    for word in ("lag_ms has the unit 's'", "plain has the unit ''", "empty has the range", "second has the key"):
        assert word in text
    assert "stray has the key 'sig.stray'" in text
    assert "has the primary key ('nothing',)" in text
    assert ".id " not in text


def test_a_handler_of_what_nobody_sends_is_found() -> None:
    more = HANDLERS | {Module.DM: HANDLERS[Module.DM] | {Intent.DM_DECISION: "learn"}}
    assert list(check.handlers_wrong(HANDLERS)) == []
    assert list(check.handlers_wrong(more)) == ["dm: learn handles DM_DECISION, which nobody sends to it"]
    fewer = {m: {i: name for i, name in own.items() if i is not Intent.ALPHA_HINT} for m, own in HANDLERS.items()}
    assert list(check.handlers_wrong(fewer)) == ["dm: ALPHA_HINT is sent to it, and no handler takes it"]


def test_the_command_tells_by_its_exit_code(tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(main, ["modules", "check", "--offline"]).exit_code == 0
    stale = run.invoke(main, ["modules", "docs", "--folder", str(tmp_path)])
    assert stale.exit_code == 1
    assert run.invoke(main, ["modules", "docs", "--folder", str(tmp_path), "--write"]).exit_code == 0
    assert run.invoke(main, ["modules", "docs", "--folder", str(tmp_path)]).exit_code == 0
