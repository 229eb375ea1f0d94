"""Pictures are drawn from any numbers, name no other resource, and are the same text for the same numbers."""

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from lotus.learning.views import Calibration, HeatMap, LifeLine
from lotus.pictures.canvas import fitted, inches_of, png, png_markdown, svg
from lotus.pictures.curves import calibration_curve, life, money
from lotus.pictures.forest import ForestRow, forest
from lotus.pictures.heat import heat

X = np.linspace(0.1, 0.9, 5)
CURVE = Calibration("d<0>", X, X, X - 0.1, X + 0.1, np.full(5, 100))
UNKNOWN = np.array([np.nan, 1.0, 0.9, 1.1])
LINE = LifeLine("x_a >= 3", ("2025-01-01",) * 4, UNKNOWN, UNKNOWN - 1, UNKNOWN + 1, UNKNOWN)
GRID = np.array([[1.0, np.nan, -2.0], [0.0, 0.5, 3.0]])
MAP = HeatMap("x", ("calm", "wild"), ("0", "1", "2"), "x_r", "x_f", GRID, GRID, (0, 0, 1, 2))
ROWS = [
    ForestRow("refused & long " * 9, -1.0, -2.0, 0.1, 0.0, False, "refused"),
    ForestRow("found", 3.0, 2.0, 4.0, 1.0, True, "grade B"),
]
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


def test_accepted_rows_stand_above_refused_ones_and_text_is_text():
    text = svg(forest(ROWS))
    assert text.index(">found<") < text.index("refused &amp; long")
    assert "..." in text


LONG = (
    "liquidation_cascade_reversal: x_imbalance_over_five_minutes_and_more >= 3 and "
    "x_regime_of_volatility_against_the_week = unusually calm and x_spread <= 1"
)
LABELS = {
    "one": ["mean_rev: x_session = us and x_spread <= 1"],
    "one long": [LONG],
    "many": [
        LONG,
        "carry: x_flow >= 3 and x_vol <= 1 and x_gap in 1..3",
        "x_" + "W" * 90 + " >= 3",
        *("d: x_a = 4",) * 12,
    ],
}


def texts_of(figure):
    """Return what is written, each with its box in the drawn picture, the picture's box, and what draws it."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    axes = figure.axes[0]
    written = [*figure.texts, *axes.texts, axes.xaxis.label, axes.yaxis.label]
    found = [(t.get_text(), t.get_window_extent(renderer)) for t in written if t.get_text()]
    return found, figure.bbox, renderer


@pytest.mark.parametrize("which", LABELS)
def test_names_break_between_conditions_and_stand_off_the_zero_line(which):
    rows = [
        ForestRow(name, k - 1.0, k - 2.0, k + 0.5, 0.5, k % 2 == 0, "proposal, grade C")
        for k, name in enumerate(LABELS[which])
    ]
    figure = forest(rows)
    found, page, renderer = texts_of(figure)
    lines = [line for text, _ in found for line in text.split("\n")]
    assert not [line for line in lines if re.match(r"(>=|<=|=|in |\d)", line) or re.search(r"(>=|<=|=| in)$", line)]
    for _, box in found:
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert page.y0 <= box.y0 < box.y1 <= page.y1
    boxes = [box for _, box in found]
    assert not [1 for i, one in enumerate(boxes) for two in boxes[:i] if one.overlaps(two)]
    drawn = [line.get_window_extent(renderer) for line in figure.axes[0].lines]
    assert not [text for text, box in found for line in drawn if box.overlaps(line)]


@pytest.mark.parametrize("title", ["d: x = 1", LONG])
def test_titles_and_axes_of_a_map_are_whole(title):
    names = ("unusually calm and more than that", "wild")
    figure = heat(replace(MAP, title=title, rows=names, row_name=LONG, column_name=LONG))
    found, page, _ = texts_of(figure)
    outside = [(text, box) for text, box in found if "\nt " not in text]
    assert any(text.endswith(": uplift, bps") for text, _ in outside)
    for text, box in outside:
        assert page.x0 <= box.x0 < box.x1 <= page.x1, text
        assert page.y0 <= box.y0 < box.y1 <= page.y1, text
    assert not [1 for i, (_, one) in enumerate(outside) for _, two in outside[:i] if one.overlaps(two)]


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


def test_the_png_form_carries_its_bytes():
    assert png(heat(MAP)).startswith(b"\x89PNG")
    assert png(heat(MAP)) == png(heat(MAP))
    assert png_markdown("map", heat(MAP)).startswith("![map](data:image/png;base64,iVBORw0KGgo")
