"""The style of a probe: drawn at its shares, from its name alone."""

import numpy as np
import pytest

from lotus.detectors.entry_style import EntryStyle
from lotus.knobs.style_draw import drawn_style, drawn_styles

SHARES = (0.2, 0.05)


def test_styles_come_at_their_shares_and_the_same_name_draws_the_same() -> None:
    draws = [drawn_style(f"event {i}", SHARES, 7) for i in range(20_000)]
    styles = [draw.style for draw in draws if draw is not None]
    for style, share in ((EntryStyle.CROSS, 0.75), (EntryStyle.JOIN, 0.2), (EntryStyle.IMPROVE, 0.05)):
        assert np.mean([s is style for s in styles]) == pytest.approx(share, abs=4 * (share * (1 - share) / 2e4) ** 0.5)
    again = [drawn_style(f"event {i}", SHARES, 7) for i in range(100)]
    assert again == draws[:100]
    assert [drawn_style(f"event {i}", SHARES, 8) for i in range(100)] != again


def test_a_higher_share_only_adds_to_who_joins() -> None:
    for i in range(500):
        few, many = drawn_style(f"{i}", (0.1, 0.0), 7), drawn_style(f"{i}", (0.4, 0.0), 7)
        assert few is not None
        assert many is not None
        assert few.style is EntryStyle.CROSS or many.style is EntryStyle.JOIN


def test_nothing_is_drawn_where_nothing_is_tried() -> None:
    assert drawn_style("event", (0.0, 0.0), 7) is None


@pytest.mark.parametrize("seed", [0, 7, 2**63 + 11])
@pytest.mark.parametrize("shares", [SHARES, (0.5, 0.5), (0.0, 0.3), (0.4, 0.0)])
def test_drawn_at_once_is_drawn_one_by_one(seed: int, shares: tuple[float, float]) -> None:
    names = [f"event {i}" for i in range(300)] + ["", "é" * 40, "a\x00b"]
    assert drawn_styles(names, shares, seed) == [drawn_style(name, shares, seed) for name in names]


def test_at_once_nothing_is_drawn_where_nothing_is_tried() -> None:
    assert drawn_styles(["event"], (0.0, 0.0), 7) == []
    assert drawn_styles([], SHARES, 7) == []
