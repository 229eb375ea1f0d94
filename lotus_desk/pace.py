"""How fast a stored day may be traded at a pace: orders need time of the wall clock, whatever the tape's clock says.

The limit is a function of the detectors alone, not of this machine's load: what a slower machine misses is void
(`lotus.trading.execution.void`). Without a pace the tape waits for the desk instead (`lockstep`).
"""

from collections.abc import Iterable

from lotus.errors import ConfigError
from lotus.trading.execution.state import Safety
from lotus_desk.execution.desk import TICK_S

LEAST_HORIZON_S = 1.0  # of the wall clock: proposal, decision, order, its answer and the way out again


def fastest_pace(horizons_s: Iterable[float]) -> float:
    """Return how many times its own pace a day may be traded, for decision horizons in s of the tape's clock.

    The shortest horizon lasts a second, and a market does not go stale between two ticks of the desk.

    >>> fastest_pace([300.0, 30.0])
    30.0
    """
    fresh_s = Safety().view_age_ms / 1000.0
    return min(min(horizons_s) / LEAST_HORIZON_S, fresh_s / TICK_S)


def pace_to_trade(speed: float, horizons_s: Iterable[float]) -> float:
    """Return the pace at which a day is traded, the fastest for 0; raises `ConfigError` for one that cannot hold."""
    fastest = fastest_pace(horizons_s)
    if speed > fastest:
        cause = "at more, windows are over before their orders arrive: refused, unfilled, and void"
        raise ConfigError(f"a day traded at {speed:g} times its pace", f"at most {fastest:g} times", cause)
    return speed or fastest
