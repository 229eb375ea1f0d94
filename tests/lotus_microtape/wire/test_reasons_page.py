"""The page of lines says what the decoder does with odd numbers, and names every reason."""

from pathlib import Path

import pytest
from tape_cases import T0, UNIVERSE, compact, line

from lotus.microtape.events import trade_rows
from lotus.microtape.wire.decode import decode_lines
from lotus.microtape.wire.reasons import QuarantineReason

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "tape_lines.md").read_text()
BTC = UNIVERSE[0]
ODD = [
    ("100", 100, 100), ("100.0", 100, 100), ("00100", 100, 100), ("1e2", 100, 100),
    ("0.123456789", "price_unit", 0.12346), ("0", "negative", 0), ("0.0", "negative", 0), ("-0", "negative", 0),
    ("-1", "negative", "negative"), ("1e300", "huge_number", "huge_number"), ("9" * 40, "huge_number", "huge_number"),
    *((text, "not_a_number", "not_a_number") for text in ("+1", ".5", "5.", "1,5", " 1", "", "0x10", "NaN", "٣")),
]  # fmt: skip


def taken(px: str, sz: str) -> tuple[float, float] | str:
    """Return price and size of a print as decoded, or the reason why it is put aside."""
    told = {"coin": BTC.name, "side": "B", "px": px, "sz": sz, "time": T0, "hash": "0x0", "tid": 1, "users": ["a", "b"]}
    batch, report = decode_lines(line(T0 * 1_000_000, compact("trades", [told])), UNIVERSE)
    if report.reasons:
        return next(iter(report.reasons))
    (row,) = trade_rows(batch.payload(0))
    return row[0] / 10**BTC.px_decimals, row[1] / 10**BTC.sz_decimals


@pytest.mark.parametrize(("text", "px", "sz"), ODD, ids=[repr(text) for text, *_ in ODD])
def test_odd_numbers(text: str, px: float | str, sz: float | str) -> None:
    assert taken(text, "1") == (px if isinstance(px, str) else (px, 1.0))
    assert taken("100", text) == (sz if isinstance(sz, str) else (100.0, sz))


def test_every_reason_stands_on_the_page() -> None:
    reasons = PAGE[PAGE.index("## Reasons") :]
    assert [r.name for r in QuarantineReason if f"`{r.name.lower()}`" not in reasons] == []
