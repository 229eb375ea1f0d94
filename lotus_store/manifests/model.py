"""Manifests as values: the tables, quotas and knobs that `sql/<module>/module.yaml` declares, read strictly.

Reading only: messages are in `lotus.modules.messages`, comparisons in `check`, pages in `pages`. (Literature: data
contract.)
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from lotus.errors import SchemaError
from lotus.modules.canonical import canonical_json
from lotus.modules.intents import Module
from lotus.modules.messages.catalogue import form_of, received_by, sent_by
from lotus_store.postgres.queries import MODULES, SQL_ROOT


class ManifestPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of all parts of a manifest: closed structures."""


class ManifestColumn(ManifestPart, frozen=True, kw_only=True):
    """A column: PostgreSQL type, unit, range of its known values, what stands for unknown, and its key.

    A `key` names a number across modules and intelligences (`sig.sigma`); `read_from` names the column it comes from.
    """

    type: str
    unit: str = ""
    range: tuple[float, float] | None = None
    nullable: bool = True
    unknown: Literal["", "NaN"] = ""
    key: str = ""
    read_from: str = ""


class ManifestTable(ManifestPart, frozen=True, kw_only=True):
    """A table or view with its columns in stored order; a partitioned table names its `partition_by`.

    `rights` are what the module's own role may do with it (empty: all but DELETE for a table, SELECT for a view).
    """

    kind: Literal["table", "view"]
    pk: tuple[str, ...] = ()
    partition_by: str = ""
    rights: tuple[str, ...] = ()
    columns: dict[str, ManifestColumn]

    def rights_of(self) -> tuple[str, ...]:
        """Return the verbs of the module's role."""
        return self.rights or (("SELECT", "INSERT", "UPDATE") if self.kind == "table" else ("SELECT",))


class ManifestKnob(ManifestPart, frozen=True, kw_only=True):
    """A prior that patches may move within its range."""

    unit: str
    range: tuple[float, float]
    patch: str


class ModuleManifest(ManifestPart, frozen=True, kw_only=True):
    """One module's manifest."""

    module: str
    schema_version: int
    quotas: dict[str, int]
    ttl_days: dict[str, int]
    priors: dict[str, ManifestKnob]
    tables: dict[str, ManifestTable]


@cache
def load_manifest(name: str, root: Path = SQL_ROOT) -> ModuleManifest:
    """Return the manifest of a module or of `atlas`; raises `SchemaError` naming the file and the member.

    The tables that every module has stand in `sql/common/module.yaml`, and come first.
    """
    document: Any = yaml.load((root / name / "module.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    if name in MODULES and "tables" in document:
        shared = (SQL_ROOT / "common" / "module.yaml").read_text(encoding="utf-8").replace("{mod}", name)
        document["tables"] = yaml.load(shared, yaml.CSafeLoader)["tables"] | document["tables"]
    try:
        return msgspec.convert(document, ModuleManifest)
    except msgspec.ValidationError as problem:
        detail = f"{name}/module.yaml is no manifest: {problem}"
        raise SchemaError(detail, "the members of lotus_store.manifests.model") from problem


@cache
def schema_hash(module: Module) -> str:
    """Return 16 hexadecimal characters that name a module's manifest, what it sends in which form, what it receives."""
    sent = {ref: form_of(kind) for ref, kind in sent_by(module).items()}
    named = {"manifest": load_manifest(module.value), "sent": sent, "received": sorted(received_by(module))}
    return hashlib.sha256(canonical_json(msgspec.to_builtins(named)).encode()).hexdigest()[:16]
