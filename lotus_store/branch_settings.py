"""Settings that belong to one branch: `<home>/branches/<branch>.json`, sections of `lotus.toml` that differ there.

A branch keeps the settings it was begun with wherever it is opened (command line, Dagster's pages, daemon), so its
history is never continued under others by accident. Checking values is the work of `config`.
"""

import json
from pathlib import Path
from typing import Any

from lotus.errors import ConfigError
from lotus.json_text import read_json
from lotus.names import path_step
from lotus_store.files import make_folder, write_bytes

Document = dict[str, dict[str, Any]]


def read_branch_settings(home: Path, branch: str) -> Document:
    """Return the sections of a branch, empty when it has none; raises `ConfigError` for a damaged file."""
    path = _path(home, branch)
    try:
        document = read_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ConfigError(f"{path} cannot be read: {error}", "JSON of sections", "a damaged file") from error
    if not isinstance(document, dict) or not all(isinstance(section, dict) for section in document.values()):
        raise ConfigError(f"{path} holds {type(document).__name__}", "an object of sections, each an object")
    return document


def write_branch_settings(home: Path, branch: str, sections: Document) -> None:
    """Keep the sections of a branch; raises `ConfigError` when it was begun with others."""
    held = read_branch_settings(home, branch)
    wanted: Document = json.loads(json.dumps(sections))
    if held and held != wanted:
        raise ConfigError(
            f"branch {branch} was begun with other settings: {_differing(held, wanted)}",
            "the same settings as long as it lives",
            "use another branch or home",
        )
    make_folder(home / "branches")
    write_bytes(_path(home, branch), json.dumps(wanted, indent=1, sort_keys=True).encode() + b"\n")


def _differing(held: Document, wanted: Document) -> str:
    """Return what differs between two documents as `section.key` with both values in JSON."""
    names = {(name, key) for document in (held, wanted) for name, section in document.items() for key in section}
    lines = []
    for name, key in sorted(names):
        before, now = (json.dumps(document.get(name, {}).get(key)) for document in (held, wanted))
        if before != now:
            lines.append(f"{name}.{key} {before}, not {now}")
    return "; ".join(lines)


def merged(document: dict[str, Any], sections: Document) -> dict[str, Any]:
    """Return a document with the keys of `sections` laid over its own, section by section."""
    return document | {name: {**document.get(name, {}), **values} for name, values in sections.items()}


def _path(home: Path, branch: str) -> Path:
    return home / "branches" / f"{path_step(branch)}.json"
