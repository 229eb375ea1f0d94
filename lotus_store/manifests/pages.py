"""What is written from the manifests: JSON Schemas, the map of modules with its drawing, the dictionary of columns.

Presentation only; `lotus modules docs --write` writes the files, a test compares them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lotus.modules.intents import Module
from lotus_store.manifests.model import Field, ManifestColumn, ModuleManifest, load_manifest, load_payloads
from lotus_store.manifests.payload_types import form_of, validators
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.queries import SQL_ROOT

DRAFT = "https://json-schema.org/draft/2020-12/schema"
JSON_TYPES = {
    "text": "string", "smallint": "integer", "integer": "integer", "bigint": "integer", "double precision": "number",
    "numeric": "number", "boolean": "boolean", "jsonb": "object", "text[]": "array", "bytea": "string",
    "timestamp with time zone": "string",
}  # fmt: skip
TITLES = {"sig": "alpha detector", "dm": "decision-maker", "tr": "trader", "vis": "vision", "atlas": "ledger"}


def pages() -> dict[Path, str]:
    """Return every written file by its path below the documentation's reference folder."""
    out = {Path("modules.md"): modules_page(), Path("columns.md"): columns_page()}
    for name in LOTUS_DATABASES:
        out[Path("schemas") / f"{name}.json"] = schemas_text(load_manifest(name))
    return out


def schemas_text(manifest: ModuleManifest) -> str:
    """Return the JSON Schemas of a module: its payloads by schema reference, and the rows of its tables."""
    kinds = validators()
    parts: dict[str, Any] = {
        e.schema_ref: {"type": "object"} | form_of(kinds[e.schema_ref]) for e in manifest.events.outbound
    }
    for name, table in manifest.tables.items():
        parts[f"{manifest.module}.{name}"] = {
            "type": "object",
            "properties": {column: _column_schema(note) for column, note in table.columns.items()},
            "required": [column for column, note in table.columns.items() if not note.nullable],
            "additionalProperties": False,
        }
    lines = ",\n".join(f"{json.dumps(key)}: {_lines(part)}" for key, part in parts.items())
    return (
        f'{{"$schema": "{DRAFT}", "title": "{manifest.module}: {TITLES[manifest.module]}", "$defs": {{\n{lines}\n}}}}\n'
    )


def modules_page() -> str:
    """Return the map of modules: a drawing, then who says and hears what, in what form, and what handles it."""
    text = [
        "# Map of modules",
        "",
        _written_from("`sql/<module>/module.yaml`, `sql/models.map.yaml`, `sql/common/payloads.yaml`"),
    ]
    text += ["", "```mermaid", "flowchart LR"]
    text += [f"  {m}[{m}: {TITLES[m]}]" for m in Module]
    text += [f"  {a} -- {' · '.join(words)} --> {b}" for (a, b), words in sorted(_arrows().items()) if a != b]
    text += ["```", "", "Arrows from a module to itself (its own patches, answers, alerts, reviews) are left out.", ""]
    for module in Module:
        manifest = load_manifest(module.value)
        text += [f"## {module}: {TITLES[module]}", "", "| says | form | payload |", "|---|---|---|"]
        text += [f"| {e.intent} | `{e.schema_ref}` | {e.payload} |" for e in manifest.events.outbound]
        text += ["", "| hears | form | handled by |", "|---|---|---|"]
        text += [f"| {e.intent} | `{e.schema_ref}` | {_handler(e.handler)} |" for e in manifest.events.inbound]
        text += ["", f"Quotas: {_pairs(manifest.quotas)}. Kept for days: {_pairs(manifest.ttl_days)}.", ""]
        text += [
            f"Knob `{name}`: {knob.range[0]:g} to {knob.range[1]:g} {knob.unit}, patched by `{knob.patch}`."
            for name, knob in manifest.priors.items()
        ]
        text += [""] if manifest.priors else []
    text += ["## Payloads", ""]
    for name, spec in load_payloads().items():
        text += [
            f"### {name}",
            "",
            f"{spec.about[0].upper()}{spec.about[1:]}.",
            "",
            "| member | type | unit | bounds |",
        ]
        text += ["|---|---|---|---|", *(_member(field, note) for field, note in spec.fields.items()), ""]
    return "\n".join(text)


def columns_page() -> str:
    """Return the dictionary of columns: every table and view with its primary key, types, units, ranges, null rules."""
    text = ["# Columns of the databases", "", _written_from("`sql/<database>/module.yaml`"), ""]
    text += [
        "Null: `no` is never null, `NaN` means that unknown is NaN and not null. Keys name a number across modules."
    ]
    for name in LOTUS_DATABASES:
        manifest = load_manifest(name)
        text += ["", f"## {name}: {TITLES[name]}"]
        for table, entry in manifest.tables.items():
            of = f" {entry.kind}, key ({', '.join(entry.pk)})" if entry.pk else f" {entry.kind}"
            parts = f", partitioned by month of `{entry.partition_by}`" if entry.partition_by else ""
            text += ["", f"### {table}", "", f"A{of}{parts}.", ""]
            text += ["| column | type | unit | range | null | key |", "|---|---|---|---|---|---|"]
            text += [_column(column, note) for column, note in entry.columns.items()]
    return "\n".join(text) + "\n"


def _written_from(sources: str) -> str:
    return f"Written from {sources} by `lotus modules docs --write`; edit those."


def _arrows() -> dict[tuple[str, str], list[str]]:
    routes = yaml.safe_load((SQL_ROOT / "models.map.yaml").read_text(encoding="utf-8"))["routes"]
    heard = {(m.value, e.schema_ref): e.intent for m in Module for e in load_manifest(m.value).events.inbound}
    out: dict[tuple[str, str], list[str]] = {}
    for sender in Module:
        for event in load_manifest(sender.value).events.outbound:
            for target in routes[event.intent]["to"]:
                words = out.setdefault((sender.value, target), [])
                if (target, event.schema_ref) in heard and event.intent.value not in words:
                    words.append(event.intent.value)
    return {pair: words for pair, words in out.items() if words}


def _lines(part: Mapping[str, Any]) -> str:
    """Return a schema with one line per member."""
    members = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in part["properties"].items())
    rest = {k: v for k, v in part.items() if k != "properties"}
    return f'{json.dumps(rest)[:-1]}, "properties": {{\n{members}}}}}'


def _column_schema(note: ManifestColumn) -> dict[str, Any]:
    kind = JSON_TYPES[note.type]
    known: list[Any] = [kind, "null"] if note.nullable else kind  # type: ignore[assignment]
    out: dict[str, Any] = {"type": known}
    if note.range:
        out |= {"minimum": note.range[0], "maximum": note.range[1]}
    extra = {"unit": note.unit, "key": note.key, "unknown": note.unknown, "pg": note.type}
    return out | {f"x-{word}": value for word, value in extra.items() if value}


def _member(name: str, note: Field) -> str:
    low, high = note.range or (note.min, None)
    bounds = [f">= {low:g}"] if low is not None else []
    bounds += [f"<= {high:g}"] if high is not None else []
    bounds += [f"one of {', '.join(note.enum)}"] if note.enum else []
    bounds += [f"{note.default} when missing"] if note.default is not None else []
    bounds += [f"at least {note.min_length} characters"] if note.min_length else []
    bounds += [f"at most {note.max_length} characters"] if note.max_length else []
    return f"| `{name}` | {note.type} | {note.unit} | {', '.join(bounds)} |"


def _column(name: str, note: ManifestColumn) -> str:
    bounds = f"{note.range[0]:g} to {note.range[1]:g}" if note.range else ""
    null = note.unknown or ("yes" if note.nullable else "no")
    return f"| `{name}` | {note.type} | {note.unit} | {bounds} | {null} | {note.key} |"


def _handler(name: str | None) -> str:
    return f"`{name}`" if name else "nobody yet"


def _pairs(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in numbers.items()) or "none"
