"""Differences between manifests, map, code and live databases: every one is found and told."""

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from lotus.modules.intents import Intent, Module
from lotus_cli.main import main
from lotus_modules.hot import handler_names
from lotus_store.databases import Databases
from lotus_store.manifests import check, model
from lotus_store.manifests.model import ManifestColumn, ManifestTable, load_manifest, load_payloads

HANDLERS = handler_names()
STRAND = "INSERT INTO sig_strand (id, lifecycle_id, kind, sq) VALUES ('a', 'a', 'k',"


def test_manifests_map_code_and_live_databases_agree(databases: Databases) -> None:
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


def test_handlers_of_the_code_and_the_manifests_are_compared() -> None:
    missing = "\n".join(check.events_wrong({}))
    assert "sig: the manifest names the handler apply_patch of PRIOR_PATCH, the code does not" in missing
    more = check.events_wrong(HANDLERS | {Module.DM: HANDLERS[Module.DM] | {Intent.VARIANT_BORN: "learn"}})
    assert list(more) == ["dm: the code has the handler learn of VARIANT_BORN, the manifest does not"]


def test_the_map_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (model.SQL_ROOT / "models.map.yaml").read_text()
    changed = text.replace(
        "DM_DECISION:         { from: [dm], to: [tr]", "DM_DECISION:         { from: [vis], to: [tr]"
    )
    assert changed != text
    (tmp_path / "models.map.yaml").write_text(changed)
    monkeypatch.setattr(check, "SQL_ROOT", tmp_path)
    assert list(check.events_wrong(HANDLERS)) == [
        "dm: the manifest says DM_DECISION, the map does not",
        "vis: the map says DM_DECISION, the manifest does not",
    ]


def test_a_payload_of_another_form_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = load_payloads()
    fields = specs["WatchdogAlert"].fields
    shorter = msgspec.structs.replace(specs["WatchdogAlert"], fields={k: fields[k] for k in list(fields)[1:]})
    monkeypatch.setattr(check, "load_payloads", lambda: specs | {"WatchdogAlert": shorter})
    assert list(check.payloads_wrong()) == [
        "the payload WatchdogAlert has another form in common/payloads.yaml than in the code"
    ]


def test_the_command_tells_by_its_exit_code(tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(main, ["modules", "check", "--offline"]).exit_code == 0
    stale = run.invoke(main, ["modules", "docs", "--folder", str(tmp_path)])
    assert stale.exit_code == 1
    assert run.invoke(main, ["modules", "docs", "--folder", str(tmp_path), "--write"]).exit_code == 0
    assert run.invoke(main, ["modules", "docs", "--folder", str(tmp_path)]).exit_code == 0
