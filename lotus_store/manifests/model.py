"""Manifests as values: the tables, messages, quotas and knobs that `sql/<module>/module.yaml` declares, read strictly.

Reading only: comparisons are in `check`, validators in `payload_types`, pages in `pages`. (Literature: data contract.)
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import yaml

from lotus.errors import SchemaError
from lotus.modules.canonical import canonical_json
from lotus.modules.intents import Intent, Module
from lotus_store.postgres.queries import SQL_ROOT

T = TypeVar("T")


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


class Outbound(ManifestPart, frozen=True, kw_only=True):
    """A message the module may send, and the form of what is in it."""

    intent: Intent
    schema_ref: str
    payload: str


class Inbound(ManifestPart, frozen=True, kw_only=True):
    """A message the module hears; `handler` None is declared and not written yet."""

    intent: Intent
    schema_ref: str
    handler: str | None


class Events(ManifestPart, frozen=True, kw_only=True):
    """What a module says and hears."""

    outbound: tuple[Outbound, ...]
    inbound: tuple[Inbound, ...]


class ManifestKnob(ManifestPart, frozen=True, kw_only=True):
    """A prior that patches may move within its range."""

    unit: str
    range: tuple[float, float]
    patch: str


class ModuleManifest(ManifestPart, frozen=True, kw_only=True):
    """One module's manifest."""

    module: str
    schema_version: int
    events: Events
    quotas: dict[str, int]
    ttl_days: dict[str, int]
    priors: dict[str, ManifestKnob]
    tables: dict[str, ManifestTable]


class Field(ManifestPart, frozen=True, kw_only=True):
    """A member of a payload; one with a `default` came later and may be missing."""

    type: Literal["text", "hash", "day", "integer", "number", "boolean", "object", "texts", "objects"]
    unit: str = ""
    range: tuple[float, float] | None = None
    min: float | None = None
    enum: tuple[str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    default: str | None = None


class PayloadSpec(ManifestPart, frozen=True, kw_only=True):
    """What is inside of a message: a closed form, all members required but those with a default."""

    about: str
    fields: dict[str, Field]


@cache
def load_manifest(name: str, root: Path = SQL_ROOT) -> ModuleManifest:
    """Return the manifest of a module or of `atlas`; raises `SchemaError` naming the file and the member."""
    return _read(root / name / "module.yaml", ModuleManifest)


@cache
def load_payloads(root: Path = SQL_ROOT) -> dict[str, PayloadSpec]:
    """Return the payload specs by name; raises `SchemaError` naming the file and the member."""
    return _read(root / "common" / "payloads.yaml", dict[str, PayloadSpec])


@cache
def schema_hash(module: Module) -> str:
    """Return 16 hexadecimal characters that name everything a module's manifest and the payloads it sends declare."""
    manifest = load_manifest(module.value)
    specs = load_payloads()
    sent = {e.payload: specs[e.payload] for e in manifest.events.outbound if e.payload in specs}
    text = canonical_json(msgspec.to_builtins({"manifest": manifest, "payloads": sent}))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(path: Path, kind: type[T]) -> T:
    document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as problem:
        where = f"{path.parent.name}/{path.name}"
        raise SchemaError(
            f"{where} is no manifest: {problem}", "the members of lotus_store.manifests.model"
        ) from problem
