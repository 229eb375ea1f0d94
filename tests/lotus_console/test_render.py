"""Values as HTML: nothing of a row becomes markup, intervals stay in their picture, links keep their place."""

import math
import re

import pytest

from lotus_console.render import HEIGHT, WIDTH, address, cell, interval, scale_of, text_of
from lotus_console.tables import ShownColumn, ValueKind

HOSTILE = '"><script>alert(1)</script>{{7*7}}'


@pytest.mark.parametrize("kind", [ValueKind.TEXT, ValueKind.CODE, ValueKind.DAY])
def test_no_text_becomes_markup(kind: ValueKind) -> None:
    column = ShownColumn("rule", "rule", kind, link="/lessons/{rule}")
    shown = cell(column, {"rule": HOSTILE})
    assert "<script>" not in shown
    assert re.search(r'href="/lessons/[^"/<>]*"', shown), "one step of a path, percent-encoded"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_dash_in_every_kind(value: float | None) -> None:
    assert {text_of(kind, value) for kind in ValueKind} == {"–"}


@pytest.mark.parametrize("ends", [(-4.0, 2.0), (1.0, 1.0), (0.0, 0.0), (-9e9, 9e9)])
def test_an_interval_lies_within_its_picture(ends: tuple[float, float]) -> None:
    column = ShownColumn("x", "x", ValueKind.BPS, span=("low", "high"))
    row = {"low": ends[0], "high": ends[1], "x": sum(ends) / 2}
    scale = scale_of(column, [row, {"low": None, "high": math.nan, "x": 1.0}])
    assert scale is not None
    assert scale[0] <= min(0.0, ends[0]) <= max(0.0, ends[1]) <= scale[1]
    picture = interval(ends, row["x"], scale)
    places = [float(x) for x in re.findall(r'(?:x1|x2|cx)="([-0-9.]+)"', picture)]
    assert places
    assert all(0.0 <= x <= WIDTH for x in places)
    assert f'height="{HEIGHT}"' in picture


def test_an_interval_without_an_end_is_not_drawn() -> None:
    assert interval([math.nan, 1.0], 0.0, (0.0, 1.0)) == ""
    assert interval([0.0, None], 0.0, (0.0, 1.0)) == ""


def test_an_address_keeps_what_it_is_given_and_escapes_it() -> None:
    assert address("/x", {"a": "1&b=2", "b": ""}, c=None, d="é") == "/x?a=1%26b%3D2&d=%C3%A9"
