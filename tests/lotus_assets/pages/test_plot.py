"""A plot of a day's metadata is a small SVG: one line per series and run, scaled to its own range."""

import base64
import math
import re
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_assets.pages.plot import HEIGHT, MARGIN, WIDTH, plot_markdown, svg
from lotus_assets.stages.context import PLOT_POINTS, Plot

VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), max_size=500)


def points(text: str) -> list[list[tuple[int, int]]]:
    """Return the corners of every line."""
    lines = re.findall(r'points="([^"]*)"', text)
    return [[(int(x), int(y)) for x, y in (p.split(",") for p in line.split())] for line in lines]


def test_a_series_runs_from_its_lowest_value_to_its_highest() -> None:
    (line,) = points(svg(Plot("t", {"a": [1.0, 3.0, 2.0]})))
    assert line == [(MARGIN, HEIGHT - MARGIN), (WIDTH // 2, MARGIN), (WIDTH - MARGIN, HEIGHT // 2)]


def test_a_null_breaks_the_line_and_the_legend_names_the_range() -> None:
    text = svg(Plot("t", {"a": [1.0, 2.0, math.nan, 4.0]}))
    assert [len(line) for line in points(text)] == [2, 1]
    assert ">a 1 to 4</text>" in text


@settings(deadline=None)
@given(VALUES, VALUES)
def test_every_plot_is_well_formed_and_inside_its_frame(a: list[float], b: list[float]) -> None:
    text = svg(Plot("<a & b>", {"a": a, "b > 0": b}))
    texts = [node.text for node in ElementTree.fromstring(text) if node.tag.endswith("text")]
    assert texts[0] == "<a & b>"
    assert len(texts) == 3
    lines = points(text)
    assert all(MARGIN <= x <= WIDTH - MARGIN and MARGIN <= y <= HEIGHT - MARGIN for line in lines for x, y in line)
    assert sum(map(len, lines)) <= 2 * PLOT_POINTS


def test_the_markdown_holds_the_picture_itself() -> None:
    plot = Plot("spread", {"a": [1.0, 2.0]})
    found = re.fullmatch(r"!\[spread\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", plot_markdown(plot))
    assert found
    assert base64.b64decode(found[1]).decode() == svg(plot)
