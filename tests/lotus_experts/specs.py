"""Shipped specs with something changed, as sets of one expert, for the tests of this folder."""

from importlib.resources import files
from typing import Any

import yaml

from lotus.experts.fusion import ExpertSet, Fusion, Voice
from lotus.experts.spec import parse_spec


def raw(expert_id: str) -> dict[str, Any]:
    """The keys of a shipped spec."""
    text = (files("lotus.experts") / "specs" / f"{expert_id}.yaml").read_text(encoding="utf-8")
    keys: dict[str, Any] = yaml.safe_load(text)
    return keys


def set_of(text: str, expert_id: str) -> ExpertSet:
    """The set of one spec."""
    return ExpertSet((parse_spec(text, f"{expert_id}.yaml"),), Fusion({expert_id: Voice(1.0, 1.0)}, 1.0))


def edited(expert_id: str, **changes: Any) -> ExpertSet:
    """The set of a shipped spec with top-level keys changed; None removes one."""
    keys = {key: value for key, value in (raw(expert_id) | changes).items() if value is not None}
    return set_of(yaml.safe_dump(keys, sort_keys=False), expert_id)
