"""Manifests: every difference to map, code and live databases is found; validators and pages follow from them."""

import json
import re
from pathlib import Path
from typing import Any

import fastjsonschema
import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import SchemaError
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Intent, Module
from lotus_cli.main import main
from lotus_modules.hot import handler_names
from lotus_store.databases import Databases
from lotus_store.manifests import check, model
from lotus_store.manifests.model import ManifestColumn, ManifestTable, load_manifest, load_payloads, schema_hash
from lotus_store.manifests.pages import pages
from lotus_store.manifests.payload_types import accepted, check_payload, validators

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = handler_names()
STRAND = "INSERT INTO sig_strand (id, lifecycle_id, kind, sq) VALUES ('a', 'a', 'k',"
EXAMPLES: dict[str, Any] = {
    "text": "word", "hash": "0" * 32, "day": "2025-01-01", "integer": 1, "number": 0.5, "boolean": True,
    "object": {"a": 1}, "texts": ["a"], "objects": [{"a": 1}],
}  # fmt: skip


def example(name: str) -> dict[str, Any]:
    return {field: (note.enum or [EXAMPLES[note.type]])[0] for field, note in load_payloads()[name].fields.items()}


def sent() -> dict[str, str]:
    return {e.schema_ref: e.payload for m in Module for e in load_manifest(m.value).events.outbound}


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


@pytest.mark.parametrize("ref", sorted(sent()))
def test_validators_take_the_form_and_nothing_else(ref: str) -> None:
    whole = example(sent()[ref])
    check_payload(ref, whole)
    fields = load_payloads()[sent()[ref]].fields
    for member in whole:
        if fields[member].default is not None:
            check_payload(ref, {k: v for k, v in whole.items() if k != member})
            continue
        with pytest.raises(RefusedError, match="missing required field") as refused:
            check_payload(ref, {k: v for k, v in whole.items() if k != member})
        assert refused.value.reason == "bad_payload"
        with pytest.raises(RefusedError):
            check_payload(ref, whole | {member: None})
    with pytest.raises(RefusedError, match="unknown field"):
        check_payload(ref, whole | {"more": 1})


def test_a_form_that_nobody_sends_is_refused() -> None:
    with pytest.raises(RefusedError, match="no module sends"):
        check_payload("urn:schema:sig.nothing:v1", {})
    assert "urn:schema:sig.alpha_proposed:v1" in accepted(Module.DM)
    assert "urn:schema:sig.alpha_proposed:v1" not in accepted(Module.TR)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "0" * 32, "2025-01-01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(sorted(sent())), st.data())
def test_validators_and_json_schemas_are_of_one_mind(ref: str, data: st.DataObject) -> None:
    """The oracle is another implementation: the written JSON Schema, compiled by fastjsonschema."""
    payload = example(sent()[ref])
    member = data.draw(st.sampled_from(sorted(payload)))
    payload[member] = data.draw(JSON)
    module = ref.split(":")[2].split(".")[0]
    try:
        check_payload(ref, payload)
        ours = True
    except RefusedError:
        ours = False
    assert ours == oracle(module, ref)(payload), (ref, member, payload[member])


_COMPILED: dict[str, Any] = {}


def oracle(module: str, ref: str) -> Any:
    """Return a function that tells whether a payload fits the written schema."""
    if ref not in _COMPILED:
        document = json.loads((ROOT / "docs" / "reference" / "schemas" / f"{module}.json").read_text())
        _COMPILED[ref] = fastjsonschema.compile(document["$defs"][ref])

    def fits(payload: dict[str, Any]) -> bool:
        try:
            _COMPILED[ref](payload)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    return fits


def test_the_written_pages_and_schemas_are_those_of_the_manifests() -> None:
    stale = [str(p) for p, text in pages().items() if (ROOT / "docs" / "reference" / p).read_text() != text]
    assert stale == [], "lotus modules docs --write"


def test_the_map_page_draws_every_route_between_modules() -> None:
    page = pages()[Path("modules.md")]
    assert "dm -- DM_DECISION" in page.split("```")[1]
    for ref in validators():
        assert f"`{ref}`" in page


def test_the_schema_hash_names_the_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {m: schema_hash(m) for m in Module}
    assert len(set(before.values())) == len(Module)
    schema_hash.cache_clear()
    specs = load_payloads()
    other = specs | {"DmDecision": msgspec.structs.replace(specs["DmDecision"], fields={})}
    monkeypatch.setattr(model, "load_payloads", lambda: other)
    assert {m for m in Module if schema_hash(m) != before[m]} == {Module.DM}
    schema_hash.cache_clear()


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "sig").mkdir()
    (tmp_path / "sig" / "module.yaml").write_text("module: sig\nwrong: 1\n")
    with pytest.raises(SchemaError, match=r"sig/module\.yaml is no manifest.*wrong"):
        load_manifest("sig", tmp_path)


def test_the_command_tells_by_its_exit_code(tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(main, ["modules", "check", "--offline"]).exit_code == 0
    stale = run.invoke(main, ["modules", "docs", "--folder", str(tmp_path)])
    assert stale.exit_code == 1
    assert run.invoke(main, ["modules", "docs", "--folder", str(tmp_path), "--write"]).exit_code == 0
    assert run.invoke(main, ["modules", "docs", "--folder", str(tmp_path)]).exit_code == 0
