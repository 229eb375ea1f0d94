"""A manifest as a value: its hash names it, a broken one is named."""

from pathlib import Path

import msgspec
import pytest

from lotus.errors import SchemaError
from lotus.modules.intents import Module
from lotus_store.manifests import model
from lotus_store.manifests.model import load_manifest, load_payloads, schema_hash


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
