"""Forest plots: accepted rows first, names that break, text that is text."""

import re

import pytest

from lotus.pictures.canvas import svg
from lotus.pictures.forest import ForestRow, forest

from .drawn import LONG, ROWS, texts_of


def test_accepted_rows_stand_above_refused_ones_and_text_is_text():
    text = svg(forest(ROWS))
    assert text.index(">found<") < text.index("refused &amp; long")
    assert "..." in text


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
