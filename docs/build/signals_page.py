"""The reference page of the signal contract, written from the schemas: `python docs/build/signals_page.py`.

Presentation only; a test compares its text with `docs/reference/signals.md`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lotus.modules.signals import READ_SCHEMAS, signal_schema

INTRODUCTION = """\
# Signals: what the alpha detector publishes

Written from the schemas in `lotus/modules/schemas` by `python docs/build/signals_page.py`; edit those.

Every published window puts three payloads on the signal bus (`live_signals` in the database of `sig`), in the
transaction of its event and under the names (run, event, schema), so repeating one changes nothing. The first is
`sigbus-1.0.0`, or `sigbus-1.1.0` where acts of curators or people were in force on it; readers take both. A payload
that does not fit its schema is not sent: the daemon counts it and its log says why. A row of `signal_events` gives the
same payload again, in canonical JSON byte for byte: `lotus signal EVENT_ID --schema NAME`.
All members are required, no other is allowed, and numbers are finite; unknown is null where the table says so.
"""


def signals_page() -> str:
    """Return the page."""
    parts = [INTRODUCTION]
    for name in READ_SCHEMAS:
        schema = signal_schema(name)
        lines = [f"## {name}: {schema['title'].lower()}", "", str(schema["description"]), ""]
        lines += ["| member | type | range | meaning |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(cells)} |" for cells in _members(schema, "")]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _members(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for name, member in schema["properties"].items():
        path = f"{prefix}{name}"
        yield f"`{path}`", _type(member), _range(member), str(member["description"])
        if "properties" in member:
            yield from _members(member, f"{path}.")


def _type(member: Mapping[str, Any]) -> str:
    if "const" in member:
        return "constant"
    if "enum" in member:
        return "one of"
    kind = member["type"]
    if kind == "array":
        return f"list of {_type(member['items'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _range(member: Mapping[str, Any]) -> str:
    if "const" in member:
        return f"`{member['const']}`"
    choices = member.get("enum") or member.get("items", {}).get("enum")
    if choices:
        return ", ".join("null" if value is None else f"`{value}`" for value in choices)
    if "pattern" in member:
        return f"`{member['pattern']}`".replace("|", "\\|")
    low = f"> {member['exclusiveMinimum']}" if "exclusiveMinimum" in member else ""
    low = f">= {member['minimum']}" if "minimum" in member else low
    high = f"<= {member['maximum']}" if "maximum" in member else ""
    return ", ".join(word for word in (low, high) if word)


if __name__ == "__main__":
    print(signals_page(), end="")
