"""Charts of a window: all on one scale inside their picture, texts escaped, nothing drawn of what was not measured."""

import math
import re

import pytest

from lotus_console.charts import HEIGHT, ROW, Strip, strips, two_lines, up_and_down, with_reach
from lotus_console.pictures import CHART_W

HOSTILE = "</text><script>alert(1)</script>"


def corners(path: str) -> list[tuple[float, float, float]]:
    """Return the left edge, the foot and the rise of each bar of a path."""
    return [(float(x), float(y), float(v)) for x, y, v in re.findall(r"M([-0-9.]+) ([-0-9.]+)v([-0-9.]+)h", path)]


def test_two_lines_share_a_scale() -> None:
    drawn = two_lines([0.0, 10.0, math.nan, 10.0], [5.0] * 4, "book", "USD")
    first, second = re.findall(r'<path class="\w+" d="([^"]+)"', drawn)
    assert first.count("M") == 2, "what was not measured breaks the line"
    heights = {float(y) for _, y in re.findall(r"[ML]([-0-9.]+) ([-0-9.]+)", second)}
    assert heights == {HEIGHT / 2}, "5 lies half way between 0 and 10"
    assert "0 to 10 USD" in drawn
    assert "not measured" in two_lines([math.nan] * 3, [math.inf] * 3, "book", "USD")


def test_an_interval_lies_around_its_series() -> None:
    drawn = with_reach([1.0, 2.0], [math.nan, -4.0], [math.nan, 8.0], HOSTILE, "USD")
    names = re.findall(r'<path class="(\w+)" d="([^"]*)"', drawn)
    assert [name for name, _ in names] == ["zero", "second", "second", "first"]
    assert [d.count("M") + d.count("L") for _, d in names] == [2, 1, 1, 2]
    assert "-4 to 8 USD" in drawn
    assert "<script" not in drawn


def test_amounts_go_up_and_down_from_the_middle() -> None:
    drawn = up_and_down([4.0, 0.0, math.nan], [0.0, 2.0, 1.0], "trades", "USD", [0.5])
    up, down = (corners(d) for d in re.findall(r'<path class="\w+" d="([^"]*)"', drawn))
    ((_, foot, tall),) = up
    assert foot == HEIGHT / 2
    assert tall < 0
    assert [v / -tall for _, _, v in down] == pytest.approx([0.5, 0.25])
    assert 'class="mark"' in drawn
    assert "none" in up_and_down([0.0] * 3, [0.0] * 3, "trades", "USD")
    assert 'd=""' in up_and_down([], [], "trades", "USD")


def test_a_strip_has_a_row_for_each_name_and_one_scale() -> None:
    rows = [Strip(HOSTILE, [(0.5, 0.8)]), Strip("b", [(1.0, -0.4), (0.25, 0.0), (0.75, math.nan)])]
    drawn = strips(rows, "experts", "nat", 0.1)
    assert "<script>" not in drawn
    assert f'height="{2 * ROW + 2}"' in drawn
    first, _, none, second = (corners(d) for d in re.findall(r'<path class="\w+" d="([^"]*)"', drawn))
    assert none == []
    assert first[0][2] == -2 * second[0][2]
    assert all(0.0 <= x <= CHART_W for x, _, _ in first + second)
    assert "none in this picture" in strips([], HOSTILE, "nat", 0.1)
    assert "<script>" not in strips([], HOSTILE, "nat", 0.1)
