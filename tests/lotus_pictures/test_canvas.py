"""Pictures are drawn from any numbers, name no other resource, and are the same text for the same numbers."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lotus.learning.views import Calibration, HeatMap, LifeLine
from lotus.pictures.canvas import fitted, inches_of, svg
from lotus.pictures.curves import calibration_curve, life, money
from lotus.pictures.forest import ForestRow, forest
from lotus.pictures.heat import heat

from .drawn import LONG, ROWS

X = np.linspace(0.1, 0.9, 5)
CURVE = Calibration("d<0>", X, X, X - 0.1, X + 0.1, np.full(5, 100))
UNKNOWN = np.array([np.nan, 1.0, 0.9, 1.1])
LINE = LifeLine("x_a >= 3", ("2025-01-01",) * 4, UNKNOWN, UNKNOWN - 1, UNKNOWN + 1, UNKNOWN)
GRID = np.array([[1.0, np.nan, -2.0], [0.0, 0.5, 3.0]])
MAP = HeatMap("x", ("calm", "wild"), ("0", "1", "2"), "x_r", "x_f", GRID, GRID, (0, 0, 1, 2))
TIMES = 1_767_664_800_000 + 60_000 * np.arange(5)


PICTURES = {
    "forest": lambda: forest(ROWS),
    "an empty forest": lambda: forest([]),
    "calibration": lambda: calibration_curve(CURVE),
    "life": lambda: life(LINE, 2.0),
    "a life without bar": lambda: life(LINE, np.inf),
    "heat": lambda: heat(MAP),
    "money": lambda: money([("paper", TIMES, X, -X, -X), ("one trade", TIMES[:1], X[:1], X[:1], 0.0 * X[:1])]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_one_element_that_needs_nothing_else(name):
    text = svg(PICTURES[name]())
    assert text.startswith("<svg")
    assert text.rstrip().endswith("</svg>")
    assert "<image" not in text
    assert all(link.startswith("#") for link in re.findall(r"href=\"([^\"]*)\"", text))
    assert text == svg(PICTURES[name]())


def test_a_part_that_is_too_wide_loses_its_middle():
    lines = fitted(LONG, 2.5, 8.5)
    assert all(inches_of(line, 8.5) <= 2.5 for line in lines)
    assert lines[0] == "liquidation_cascade_reversal:"
    assert lines[1].startswith("x_imbalance_over")
    assert lines[1].endswith(">= 3")
    assert lines[-1].endswith("and x_spread <= 1")
    assert fitted("short", 9.0, 8.5) == ["short"]


def test_dollar_signs_of_names_are_no_formula():
    odd = r"a$b^{$c\ $"
    drawn = [
        forest([ForestRow(odd, 1.0, 0.0, 2.0, 0.5, True, odd)], odd),
        calibration_curve(replace(CURVE, detector_id=odd)),
        life(replace(LINE, title=odd), 2.0),
        heat(replace(MAP, title=odd, rows=(odd, "y"), columns=("0", odd, "2"), row_name=odd, column_name=odd)),
    ]
    assert all("a$b^{$c" in svg(figure) for figure in drawn)
