"""A manifest as a value: its hash names it, a broken one is named."""

from pathlib import Path

import pytest

from lotus.errors import SchemaError
from lotus.modules.intents import Module
from lotus.modules.messages.catalogue import form_of
from lotus.modules.messages.trading import DmDecision
from lotus_store.manifests import model
from lotus_store.manifests.model import load_manifest, schema_hash


def test_the_schema_hash_names_manifest_and_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {m: schema_hash(m) for m in Module}
    assert len(set(before.values())) == len(Module)
    schema_hash.cache_clear()
    monkeypatch.setattr(model, "form_of", lambda kind: {} if kind is DmDecision else form_of(kind))
    assert {m for m in Module if schema_hash(m) != before[m]} == {Module.DM}
    schema_hash.cache_clear()


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "sig").mkdir()
    (tmp_path / "sig" / "module.yaml").write_text("module: sig\nwrong: 1\n")
    with pytest.raises(SchemaError, match=r"sig/module\.yaml is no manifest.*wrong"):
        load_manifest("sig", tmp_path)
