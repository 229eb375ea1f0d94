"""Equal meanings have one identity, different ones do not."""

import pytest

from lotus.coprocessor.canonical import cut
from lotus.coprocessor.genome import read
from lotus.tape_machine.parser import parse


def identity(text: str, horizon_s: int = 300) -> str:
    """Return the canonical id of a text."""
    return read(parse(text), horizon_s, 5_000).canonical


@pytest.mark.parametrize(("one", "other"), [
    ("imb_5 * imb_1", "imb_1 * imb_5"),
    ("imb_5 - imb_1", "imb_1 - imb_5"),
    ("imb_5", "-imb_5"),
    ("--imb_5", "imb_5"),
    ("sign(-imb_5)", "sign(imb_5)"),
    ("abs(-flow)", "abs(flow)"),
    ("where(imb_5 > 0.2 + 0.1, 1, 0)", "where(0.3 < imb_5, 1, 0)"),
    ("where(-imb_5 > 0.3, 1, 0)", "where(imb_5 < -0.3, 1, 0)"),
    ("where(imb_5 > 0.3001, 1, 0)", "where(imb_5 > 0.3, 1, 0)"),
    ("where(sweep > 0, 0, imb_1)", "where(sweep > 0, 0, -imb_1)"),
    ("min(imb_1, flow)", "max(-flow, -imb_1)"),
    ("ema(imb_5, 60s)", "ema(-imb_5, 1m)"),
    ("max(imb_5, 1m)", "min(-imb_5, 1m)"),
    ("clip(imb_5, -0.5, 0.2)", "clip(-imb_5, -0.2, 0.5)"),
    ("max(imb_1, ema(flow - flow, 1m))", "max(imb_1, -ema(flow - flow, 1m))"),
    ("crossed(imb_1, imb_5)", "crossed(-imb_1, -imb_5)"),
    ("argmax_age(imb_5, 1m) / 1step", "argmin_age(-imb_5, 1m) / 1step"),
])  # fmt: skip
def test_equal_meanings_have_one_identity(one: str, other: str) -> None:
    assert identity(one) == identity(other)


@pytest.mark.parametrize(("one", "other"), [
    ("imb_5", "imb_1"),
    ("imb_5 + imb_1", "imb_5 - imb_1"),
    ("where(imb_5 > 0.3, 1, 0)", "where(imb_5 >= 0.3, 1, 0)"),
    ("where(imb_5 > 0.3, 1, 0)", "where(imb_5 > -0.3, 1, 0)"),
    ("where(imb_5 > 0.3, 1, 0)", "where(imb_5 > 0.31, 1, 0)"),
    ("rank(imb_5, 1m)", "rank(-imb_5, 1m)"),
    ("max(imb_5, 1m)", "min(imb_5, 1m)"),
    ("where(sweep > 0, imb_5, imb_1)", "where(sweep > 0, imb_5, -imb_1)"),
    ("ema(imb_5, 1m)", "ema(imb_5, 2m)"),
])  # fmt: skip
def test_different_meanings_do_not(one: str, other: str) -> None:
    assert identity(one) != identity(other)


def test_another_horizon_is_another_test() -> None:
    assert identity("imb_5", 30) != identity("imb_5", 300)


def test_constants_are_cut_to_three_digits() -> None:
    assert (cut(0.0123456), cut(0.0)) == (0.0123, 0.0)
