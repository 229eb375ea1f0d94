"""The signal contract: what fits is taken, every single mutation is refused by its path, a meta-signal has no side."""

import copy
import json
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from lotus.errors import SchemaError
from lotus.modules.canonical import canonical_json
from lotus.modules.signals import ASYMMETRY, DET_ALPHA, META, SIGBUS, SIGNAL_SCHEMAS, check_signal, signal_schema

ROOT = Path(__file__).resolve().parents[3]
Path_ = tuple[str, ...]
TEXTS = {
    "^[0-9a-f]{32}$": lambda rng: f"{rng.getrandbits(128):032x}",
    "^[0-9a-f]{16}$": lambda rng: f"{rng.getrandbits(64):016x}",
    "^(0|[1-9][0-9]{0,19})$": lambda rng: str(rng.randrange(10**19)),
    "^[0-4-]{12}$": lambda rng: "".join(rng.choices("01234-", k=12)),
    "^[a-z][a-z _]*$": lambda rng: "".join(rng.choices("abcxyz _", k=rng.randint(1, 12))).strip(" _") or "veto",
    "^detector_cards/[A-Za-z0-9_.-]+@[1-9][0-9]*$": lambda rng: (
        f"detector_cards/d_{rng.randint(0, 9)}@{rng.randint(1, 99)}"
    ),
}


def valid(schema: Mapping[str, Any], rng: random.Random) -> Any:
    """Return a random value of a schema made of what these schemas use (their cross conditions are `consistent`'s)."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = rng.choice(kinds)
    if kind == "object":
        return {name: valid(member, rng) for name, member in schema["properties"].items()}
    if kind == "array":
        count = rng.randint(schema.get("minItems", 0), min(schema.get("maxItems", 4), 4))
        made = [valid(schema["items"], rng) for _ in range(count)]
        return list(dict.fromkeys(made)) if schema.get("uniqueItems") else made
    if kind in ("number", "integer"):
        low = schema.get("minimum", schema.get("exclusiveMinimum", -50))
        high = schema.get("maximum", low + 1000)
        return rng.randint(int(low), int(high)) if kind == "integer" else low + (high - low) * rng.uniform(0.001, 1.0)
    if kind == "string":
        make = TEXTS.get(schema.get("pattern", ""))
        return make(rng) if make else "2026-03-04T09:00:05.000Z" if "pattern" in schema else "a name"
    return None if kind == "null" else rng.random() < 0.5


def consistent(payload: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Make the members agree that the schema ties together."""
    if "direction" in payload:
        sides = (-1, 1) if payload["schema_ver"] == DET_ALPHA else (-1, 0, 1)
        payload["direction"] = side = rng.choice(sides)
        payload["signal"] = side * payload["strength"] if side else 0.0
    if payload["schema_ver"] == SIGBUS:
        open_ = payload["eligibility"]["publish"]
        payload["eligibility"]["vetoes"] = [] if open_ else ["kairos"]
        payload["publication"]["published"] = open_ and payload["publication"]["published"]
    return payload


def payloads(ver: str, count: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(f"signals {ver}")
    for _ in range(count):
        yield consistent(valid(signal_schema(ver), rng), rng)


@pytest.mark.parametrize("ver", SIGNAL_SCHEMAS)
def test_random_valid_payloads_are_taken_and_survive_their_canonical_text(ver: str) -> None:
    for payload in payloads(ver, 300):
        before = copy.deepcopy(payload)
        assert check_signal(payload) == before
        again = json.loads(canonical_json(payload))
        assert check_signal(again) == before
        assert canonical_json(again) == canonical_json(before)


def members(schema: Mapping[str, Any], at: Path_ = ()) -> Iterator[tuple[Path_, Mapping[str, Any]]]:
    """Yield every member of a schema with its path."""
    for name, member in schema["properties"].items():
        yield (*at, name), member
        if "properties" in member:
            yield from members(member, (*at, name))


def bad_values(member: Mapping[str, Any]) -> Iterator[Any]:
    """Yield values that a member must refuse: wrong types, and each bound passed."""
    kinds = member.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    yield {"of": "another type"}
    yield "text of no pattern" if "string" not in kinds or "pattern" in member else 7
    yield ["a list of something else", {}]
    if "null" not in kinds and None not in member.get("enum", ()):
        yield None
    if "boolean" not in kinds:
        yield True
    if "number" in kinds or "integer" in kinds:
        yield from (float("nan"), float("inf"))
        for bound, step in (("minimum", -1e-9), ("maximum", 1e-9), ("exclusiveMinimum", 0.0)):
            if bound in member:
                yield member[bound] + (step if "number" in kinds else round(step * 1e9))
    if "integer" in kinds:
        yield 1.5
    if "string" in kinds:
        yield ""


CASES = [(ver, path) for ver in SIGNAL_SCHEMAS for path, _ in members(signal_schema(ver))]


@pytest.mark.parametrize(("ver", "path"), CASES, ids=lambda x: x if isinstance(x, str) else ".".join(x))
def test_every_single_mutation_is_refused_by_its_path(ver: str, path: Path_) -> None:
    by_path = dict(members(signal_schema(ver)))
    schema, (sound,) = by_path[path], payloads(ver, 1)
    where, (*outer, name) = ".".join(path), path
    parent = by_path[tuple(outer)] if outer else signal_schema(ver)
    refused = []
    for value in bad_values(schema):
        broken = copy.deepcopy(sound)
        at(broken, outer)[name] = value
        refused.append((broken, where))
    without = copy.deepcopy(sound)
    del at(without, outer)[name]
    if name in parent["required"]:
        refused.append((without, name))
    else:
        check_signal(without)
    for broken, named in refused:
        with pytest.raises(SchemaError, match=re.escape(named)):
            check_signal(broken)
    if "properties" in schema:
        more = copy.deepcopy(sound)
        at(more, path)["stranger"] = 1
        with pytest.raises(SchemaError, match=rf"data\.{re.escape(where)} must not contain .*stranger"):
            check_signal(more)


def at(payload: dict[str, Any], path: Path_ | list[str]) -> dict[str, Any]:
    """Return the object at a path."""
    for name in path:
        payload = payload[name]
    return payload


@pytest.mark.parametrize("ver", SIGNAL_SCHEMAS)
def test_an_extra_key_at_the_top_and_another_version_are_refused(ver: str) -> None:
    (sound,) = payloads(ver, 1)
    with pytest.raises(SchemaError, match="stranger"):
        check_signal(sound | {"stranger": 1})
    with pytest.raises(SchemaError, match=r"data\.schema_ver is 'sigbus-9'"):
        check_signal(sound | {"schema_ver": "sigbus-9"})
    with pytest.raises(SchemaError, match="no signal schema"):
        signal_schema("sigbus-9")


@pytest.mark.parametrize("word", ["signal", "direction", "side", "strength", "s"])
def test_a_meta_signal_never_has_a_direction(word: str) -> None:
    (sound,) = payloads(META, 1)
    with pytest.raises(SchemaError):
        check_signal(sound | {word: 1})
    opened = {**signal_schema(META), "additionalProperties": True}
    with pytest.raises(fastjsonschema.JsonSchemaValueException):  # said once more, should members ever be let in
        fastjsonschema.compile(opened)(sound | {word: 1})
    signed = [path for path, m in members(signal_schema(META)) if "number" in str(m.get("type")) and m["minimum"] < 0]
    assert not signed
    assert set(sound["ms_asym_components"]) == set(ASYMMETRY)


def test_members_that_contradict_each_other_are_refused() -> None:
    whole = next(p for p in payloads(SIGBUS, 200) if p["direction"] == 1 and p["publication"]["published"])
    for change in (
        {"direction": -1},
        {"direction": 0},
        {"signal": -whole["signal"]},
        {"eligibility": whole["eligibility"] | {"vetoes": ["kairos"]}},
        {"eligibility": whole["eligibility"] | {"publish": False, "vetoes": ["kairos"]}},
        {"publication": whole["publication"] | {"pi": 0}},
    ):
        with pytest.raises(SchemaError):
            check_signal(whole | change)
