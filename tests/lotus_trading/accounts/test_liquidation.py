"""At the liquidation price the margin is what must be maintained."""

from hypothesis import given
from hypothesis import strategies as st

from lotus.trading.accounts.liquidation import liquidation_px
from lotus.trading.execution.orders import Side

from ..faulty_plans import D


@given(
    st.sampled_from(list(Side)),
    st.decimals("0.001", "100", places=3),
    st.decimals("10", "100000", places=1),
    st.integers(1, 50),
    st.integers(3, 50),
)
def test_at_the_liquidation_price_margin_is_what_must_be_maintained(
    side: Side, size: D, px: D, leverage: int, most: int
) -> None:
    margin = size * px / leverage
    gone = liquidation_px(side, size, px, margin, most)
    if gone is None:
        assert side is Side.BUY
        assert margin + size * (0 - px) >= 0
        return
    left = margin + int(side) * size * (gone - px)
    assert abs(left - size * gone / (2 * most)) < D("1e-12")
