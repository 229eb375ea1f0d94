"""`lotus_desk/market/triggers.py`: from the frame that fires a trigger to the order at the exchange, within a frame."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from desk_bed import BTC, now_ms, until
from exchange_bed import Place, place

from lotus.manifest import KernelDefaults
from lotus.microtape.frames.spec import C_GAP, C_MID, C_SPREAD, I_END, I_FRAME, N_FLOATS, N_INTS
from lotus.trading.plan.styles import Styles
from lotus_desk.market.triggers import PlanTriggerEvent, TriggerDesk

pytestmark = pytest.mark.clock("orders are sent by the clock of the wall")
CADENCE_MS = KernelDefaults().cadence_ms
PLANS, LEVEL = 8, 100_200


async def written(_events: Sequence[PlanTriggerEvent]) -> bool:
    return True


def show_frame(desk: TriggerDesk, mid_usd: float, number: int) -> None:
    """Close a frame of the coin that ends now."""
    ints, floats = np.zeros(N_INTS, np.int64), np.full(N_FLOATS, np.nan)
    ints[I_FRAME], ints[I_END] = number, now_ms() + 1
    floats[C_MID], floats[C_GAP], floats[C_SPREAD] = 10 * mid_usd, 0.0, 1.0
    desk.frame(ints, floats)


async def seconds_to_order(at: Place, desk: TriggerDesk, k: int) -> float:
    """Return the time from the frame that fires a plan's trigger to its order; nothing may be sent before it."""
    before = len(at.orders)
    plan = at.accept(f"plan {k}", 60_000, 0, Styles(), trigger=f"mid > {LEVEL}", valid_until_ms=now_ms() + 60_000)
    await until(lambda: plan in desk.watches)
    show_frame(desk, LEVEL - 1, 2 * k)
    await asyncio.sleep(CADENCE_MS / 1_000)
    assert len(at.orders) == before
    since = time.monotonic()
    show_frame(desk, LEVEL + 1, 2 * k + 1)
    while len(at.orders) == before:
        assert time.monotonic() - since < 5.0, "it was not sent"
        await asyncio.sleep(0.001)
    return time.monotonic() - since


def test_a_fired_trigger_is_an_order_within_a_frame(tmp_path: Path) -> None:
    async def go() -> list[float]:
        desk = TriggerDesk((BTC,), CADENCE_MS, written)
        async with place(tmp_path, desk) as at:
            return [await seconds_to_order(at, desk, k) for k in range(PLANS)]

    took = asyncio.run(go())
    print("ms from the frame to the order:", *(f"{1_000 * s:.0f}" for s in sorted(took)))
    assert 1_000 * statistics.median(took) <= CADENCE_MS  # the median: a busy machine delays some
