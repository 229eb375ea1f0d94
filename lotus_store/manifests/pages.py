"""What is written from messages and manifests: JSON Schemas, the map of modules with its drawing, the columns.

Presentation only; `lotus modules docs --write` writes the files, a test compares them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lotus.modules.intents import Intent, Module
from lotus.modules.messages.catalogue import form_of, payloads, received_by, routes, sent_by
from lotus.modules.messages.payload import Payload
from lotus_store.manifests.check import UNIT_OF_NAME, Handlers
from lotus_store.manifests.model import ManifestColumn, ModuleManifest, load_manifest
from lotus_store.postgres.migrations import LOTUS_DATABASES

DRAFT = "https://json-schema.org/draft/2020-12/schema"
JSON_TYPES = {
    "text": "string", "smallint": "integer", "integer": "integer", "bigint": "integer", "double precision": "number",
    "numeric": "number", "boolean": "boolean", "jsonb": "object", "text[]": "array", "bytea": "string",
    "timestamp with time zone": "string", "tsvector": "string",
}  # fmt: skip
TITLES = {"sig": "alpha detector", "dm": "decision-maker", "tr": "trader", "vis": "vision", "atlas": "ledger"}


def pages(handlers: Handlers) -> dict[Path, str]:
    """Return every written file by its path below the documentation's reference folder."""
    out = {Path("modules.md"): modules_page(handlers), Path("columns.md"): columns_page()}
    for name in LOTUS_DATABASES:
        out[Path("schemas") / f"{name}.json"] = schemas_text(load_manifest(name))
    return out


def schemas_text(manifest: ModuleManifest) -> str:
    """Return the JSON Schemas of a module: its payloads by schema reference, and the rows of its tables."""
    sent = sent_by(Module(manifest.module)) if manifest.module in set(Module) else {}
    parts: dict[str, Any] = {ref: {"type": "object"} | form_of(kind) for ref, kind in sent.items()}
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


def modules_page(handlers: Handlers) -> str:
    """Return the map of modules: a drawing, then who sends and receives what, in what form, and what handles it."""
    text = [
        "# Map of modules",
        "",
        _written_from("`lotus/modules/messages/` and `sql/<module>/module.yaml`"),
    ]
    text += ["", "```mermaid", "flowchart LR"]
    text += [f"  {m}[{m}: {TITLES[m]}]" for m in Module]
    text += [f"  {a} -- {' · '.join(words)} --> {b}" for (a, b), words in sorted(_arrows().items()) if a != b]
    text += ["```", "", "Arrows from a module to itself (its own patches, answers, alerts, reviews) are left out.", ""]
    text += [line for module in Module for line in _module_part(module, handlers.get(module, {}))]
    text += ["## Intents", "", "Any sender of an intent may send it to any of its targets; priorities are 0 to 2.", ""]
    text += ["| intent | from | to | highest priority | answered by |", "|---|---|---|---|---|"]
    for intent, route in routes().items():
        senders, targets = (", ".join(m for m in Module if m in side) for side in (route.senders, route.targets))
        text += [f"| {intent} | {senders} | {targets} | {route.priority} | {route.answer or ''} |"]
    text += ["", "## Payloads", ""]
    for kind in payloads():
        text += [f"### {kind.__name__}", "", _prose(kind), "", "| member | type | unit | bounds |", "|---|---|---|---|"]
        text += [*(_member(name, part) for name, part in form_of(kind)["properties"].items()), ""]
    return "\n".join(text)


def _module_part(module: Module, handlers: Mapping[Intent, str]) -> list[str]:
    manifest = load_manifest(module.value)
    text = [f"## {module}: {TITLES[module]}", "", "| sends | form | payload |", "|---|---|---|"]
    text += [f"| {kind.contract.intent} | `{ref}` | {kind.__name__} |" for ref, kind in sent_by(module).items()]
    text += ["", "| receives | form | handled by |", "|---|---|---|"]
    for ref, kind in received_by(module).items():
        name = None if kind.contract.planned else handlers.get(kind.contract.intent)
        text += [f"| {kind.contract.intent} | `{ref}` | {f'`{name}`' if name else 'nobody yet'} |"]
    text += ["", f"Quotas: {_pairs(manifest.quotas)}. Kept for days: {_pairs(manifest.ttl_days)}.", ""]
    text += [
        f"Knob `{name}`: {knob.range[0]:g} to {knob.range[1]:g} {knob.unit}, patched by `{knob.patch}`."
        for name, knob in manifest.priors.items()
    ]
    return [*text, ""] if manifest.priors else text


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
    out: dict[tuple[str, str], list[str]] = {}
    for kind in payloads():
        for sender, targets in kind.contract.routes.items():
            for target in targets:
                intents = out.setdefault((sender.value, target.value), [])
                if kind.contract.intent.value not in intents:
                    intents.append(kind.contract.intent.value)
    return out


def _lines(part: Mapping[str, Any]) -> str:
    """Return a schema with one line per member."""
    members = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in part["properties"].items())
    rest = {k: v for k, v in part.items() if k != "properties"}
    return f'{json.dumps(rest)[:-1]}, "properties": {{\n{members}}}}}'


def _column_schema(note: ManifestColumn) -> dict[str, Any]:
    kind = JSON_TYPES[note.type]
    types: list[Any] = [kind, "null"] if note.nullable else kind  # type: ignore[assignment]
    out: dict[str, Any] = {"type": types}
    if note.range:
        out |= {"minimum": note.range[0], "maximum": note.range[1]}
    extra = {"unit": note.unit, "key": note.key, "unknown": note.unknown, "pg": note.type}
    return out | {f"x-{word}": value for word, value in extra.items() if value}


def _prose(kind: type[Payload]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _member(name: str, part: Mapping[str, Any]) -> str:
    pattern = part.get("pattern", "")
    word = {"string": "day" if "d{4}" in pattern else "hash" if pattern else "text"}.get(part.get("type", ""))
    if "enum" in part:
        word = "text"
    if part.get("type") == "array":
        word = "texts" if part["items"]["type"] == "string" else "objects"
    unit = next((u for end, u in {**UNIT_OF_NAME, "_usd": "USD"}.items() if name.endswith(end)), "")
    bounds = [f">= {part['minimum']:g}"] if "minimum" in part else []
    bounds += [f"<= {part['maximum']:g}"] if "maximum" in part else []
    bounds += [f"one of {', '.join(part['enum'])}"] if "enum" in part else []
    bounds += [f"{part['default']} when missing"] if "default" in part else []
    bounds += [f"at least {part['minLength']} characters"] if "minLength" in part else []
    bounds += [f"at most {part['maxLength']} characters"] if "maxLength" in part else []
    return f"| `{name}` | {word or part['type']} | {unit} | {', '.join(bounds)} |"


def _column(name: str, note: ManifestColumn) -> str:
    bounds = f"{note.range[0]:g} to {note.range[1]:g}" if note.range else ""
    null = note.unknown or ("yes" if note.nullable else "no")
    return f"| `{name}` | {note.type} | {note.unit} | {bounds} | {null} | {note.key} |"


def _pairs(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in numbers.items()) or "none"
