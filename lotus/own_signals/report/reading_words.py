"""What bins and groups stand for, in words: for the terminal and the report. Values are `readings`."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]
_ASSETS, _VALUES = 4, 8  # listed one by one


def literal_words(x: Facts) -> str:
    """Return a literal's bins and the values that they stand for."""
    if x["values"]:
        return _listed(x["values"])
    limits = [f"{word} {_edge(x[key])}" for key, word in (("above", "above"), ("up_to", "up to")) if x[key]]
    return f"{x['words']}, {' and '.join(limits)}" if limits else f"{x['words']}; no day had edges"


def rule_words(edges: Sequence[Facts]) -> list[str]:
    """Return a line for each literal of a rule that is not plain."""
    return [f"{x['literal']}: {literal_words(x)}" for x in edges]


def feature_words(feature: Facts) -> Iterator[str]:
    """Yield lines that tell the bins of a feature in values, or what its groups hold; none for plain categories."""
    for label, values in feature["groups"].items():
        if values != [label]:
            yield f"{feature['name']} = {label}: {_listed(values)}"
    if feature["groups"]:
        yield f"  grouped by {feature['grouped_by']}"
    edges = feature["edges"]
    if not edges:
        return
    assets = sorted(edges[0]["by_asset"])
    if not assets:
        yield f"{feature['name']}: {_ladder(edges)}"
        return
    for asset in assets[:_ASSETS]:
        yield f"{feature['name']} of {asset}: {_ladder([edge['by_asset'][asset] for edge in edges])}"
    if len(assets) > _ASSETS:
        yield f"  and of {len(assets) - _ASSETS} assets more, in the JSON"


def named_features(f: Facts) -> list[Facts]:
    """Return the features that a lesson, a proposal or a refused rule speaks of."""
    rows = [x for kind in ("lessons", "proposals", "refused") for x in f[kind] if x["rule"]]
    rules = [rule for x in rows for rule in (x["rule"], *(n["rule"] for n in x["near_ties"]))]
    named = {part.split(" ")[0] for rule in rules for part in rule.split(" and ")}
    return [feature for feature in f["features"] if feature["name"] in named]


def number(value: float, span: float = 0.0) -> str:
    """Return a number in digits that tell apart what lies `span` apart.

    >>> number(0.84123), number(60012.4, 30.0), number(-0.0), number(2e-9), number(100000.0)
    ('0.8412', '60012.4', '0', '2e-09', '100000')
    """
    size = max(abs(value), span)
    if not 1e-4 <= size < 1e9:
        return f"{value + 0.0:.4g}"
    places = max(0, 1 - math.floor(math.log10(span / 5)) if span else 3 - math.floor(math.log10(size)))
    text = f"{round(value, places) + 0.0:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _edge(edge: Facts) -> str:
    moves, n = edge["by_asset"], f"over {edge['days']} day{'s' if edge['days'] > 1 else ''}"
    if not moves:
        return _range(edge, f" {n}")
    order = sorted(moves, key=lambda asset: moves[asset]["median"])
    if len(order) <= _ASSETS:
        return ", ".join(f"{_range(moves[asset])} for {asset}" for asset in sorted(order)) + f", {n}"
    low, high = (f"{_range(moves[asset])} for {asset}" for asset in (order[0], order[-1]))
    return f"{low}, the lowest of {len(order)} assets, and {high}, the highest, {n}"


def _range(x: Facts, more: str = "") -> str:
    """Return the median of an edge with its range over the days."""
    low, high = x["low"], x["high"]
    if low == high:
        return number(x["median"])
    return f"{number(x['median'], high - low)} ({number(low, high - low)} to {number(high, high - low)}{more})"


def _ladder(edges: Sequence[Facts]) -> str:
    steps = [f"{k} up to {_range(edge)}" for k, edge in enumerate(edges)]
    return f"{', '.join(steps)}, {len(edges)} above"


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(values[:_VALUES])
    return shown if len(values) <= _VALUES else f"{shown} and {len(values) - _VALUES} more"
