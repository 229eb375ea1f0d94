"""SIGNAL_EVAL: what became of every scored window, one row per event, written once on the day it matures.

Only the table's specification belongs here. `fwd_ret_bps` is the market's move; payoffs are the probe's, in the
direction of the signal, net of costs; `mfe` and `mae` are the excursions known as maximum favourable and adverse.
"""

from collections.abc import Sequence

from lotus.columns import Column, TableSpec

OK, GAP, UNMATURED = "ok", "gap", "unmatured"

_HEAD = (
    Column("event_id", "text", "", "natural identity of the event"),
    Column("detector_id", "text", "", "detector that scored the window"),
    Column("asset", "text", "", "venue name of the perpetual"),
    Column("window_end_ms", "i8", "ms", "end of the window, venue time"),
    Column("maturity_ms", "i8", "ms", "window end + the longest horizon of the manifest"),
    Column("horizon_s", "i4", "s", "decision horizon of the detector", low=1),
)
_TAIL = (
    Column("hit", "f8", "", "hit at the decision horizon", True, 0.0, 1.0),
    Column("payoff_p", "f8", "bps", "probe under the modelled cost, decision horizon", True),
    Column("payoff_y", "f8", "bps", "probe as executed, decision horizon; published windows only", True),
    Column("fill_source", "text", "", "venue | paper_live | tape_sim; empty when not published"),
    Column("status", "text", "", "ok | gap | unmatured"),
)


def horizon_columns(horizon_s: int) -> tuple[Column, ...]:
    """Return the five columns of one horizon."""
    h = horizon_s
    return (
        Column(f"fwd_ret_bps_{h}", "f8", "bps", f"mid-to-mid move from entry over {h} s", True),
        Column(f"payoff_p_{h}", "f8", "bps", f"probe under the modelled cost over {h} s", True),
        Column(f"hit_{h}", "f8", "", "1 when the move went with the signal, ties one half", True, 0.0, 1.0),
        Column(f"mfe_{h}", "f8", "bps", "largest move with the signal while open", True, 0.0),
        Column(f"mae_{h}", "f8", "bps", "largest move against the signal while open", True, None, 0.0),
    )


def signal_eval_spec(horizons_s: Sequence[int]) -> TableSpec:
    """Return the table for the evaluated horizons of a manifest."""
    middle = tuple(c for h in horizons_s for c in horizon_columns(h))
    return TableSpec("signal_eval", ("window_end_ms", "asset", "detector_id"), _HEAD + middle + _TAIL)
