"""Maps: titles and axes whole, bytes of the PNG form."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.learning.views import HeatMap
from lotus.pictures.canvas import png, png_markdown
from lotus.pictures.heat import heat

from .drawn import LONG, texts_of

GRID = np.array([[1.0, np.nan, -2.0], [0.0, 0.5, 3.0]])
MAP = HeatMap("x", ("calm", "wild"), ("0", "1", "2"), "x_r", "x_f", GRID, GRID, (0, 0, 1, 2))


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


def test_the_png_form_carries_its_bytes():
    assert png(heat(MAP)).startswith(b"\x89PNG")
    assert png(heat(MAP)) == png(heat(MAP))
    assert png_markdown("map", heat(MAP)).startswith("![map](data:image/png;base64,iVBORw0KGgo")
