"""STYLE_PAYOFFS: what each published window would have paid in each style of entry, by both bounds of its fill.

One row per published window of a detector that spoke, of those that mature on the day; written once. All styles fall
back to crossing. Descriptive by itself; the trader's trials (`lotus.knobs`) draw one style a window from it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from lotus.columns import Column, TableSpec
from lotus.detectors.entry_style import EntryStyle
from lotus.manifest import Manifest
from lotus.outcomes.evaluate import Columns, Table, rows_named
from lotus.outcomes.passive import PassivePayoffs
from lotus.outcomes.signal_eval import OK
from lotus.outcomes.styles import AssetTape, EntryPlans, StyleTape, asset_tapes, resting_payoffs

RESTING: Final = (EntryStyle.JOIN, EntryStyle.IMPROVE)
_NAMED: Final = ("event_id", "detector_id", "asset", "window_end_ms", "maturity_ms", "horizon_s")


def _of_style(style: EntryStyle) -> tuple[Column, ...]:
    return (
        Column(f"{style}_low", "f8", "bps", f"{style}, pessimistic fill: net payoff of the probe", True),
        Column(f"{style}_high", "f8", "bps", f"{style}, optimistic fill: net payoff of the probe", True),
        Column(f"{style}_rested_low", "f8", "", "share of the entry filled at rest, pessimistic", True, 0.0, 1.0),
        Column(f"{style}_rested_high", "f8", "", "share of the entry filled at rest, optimistic", True, 0.0, 1.0),
    )


STYLE_PAYOFFS: Final = TableSpec(
    "style_payoffs",
    ("window_end_ms", "asset", "detector_id"),
    (
        Column("event_id", "text", "", "natural identity of the event"),
        Column("detector_id", "text", "", "detector that scored the window"),
        Column("asset", "text", "", "venue name of the perpetual"),
        Column("window_end_ms", "i8", "ms", "end of the window, venue time"),
        Column("maturity_ms", "i8", "ms", "window end + the longest horizon of the manifest"),
        Column("horizon_s", "i4", "s", "decision horizon of the detector", low=1),
        Column("cross", "f8", "bps", "crossing at once: net payoff of the probe against the tape", True),
        *_of_style(EntryStyle.JOIN),
        *_of_style(EntryStyle.IMPROVE),
    ),
)


def style_payoffs(events: Columns, rows: Columns, tape: StyleTape, manifest: Manifest, until_ms: int) -> Table:
    """Return STYLE_PAYOFFS of the whole published windows among SIGNAL_EVAL `rows`, in their order.

    `events` are columns of SIGNAL_EVENTS that hold the windows of `rows`. A null: the tape ends inside a wait.
    """
    at = rows_named(np.asarray(rows["event_id"]), np.asarray(events["event_id"]))
    is_published = np.asarray(events["published"], dtype=np.bool_)[at]
    speaks = np.asarray(events["s"], dtype=np.float64)[at] != 0.0
    chosen = np.flatnonzero(is_published & speaks & (np.asarray(rows["status"]) == OK))
    part = {name: np.asarray(values)[at[chosen]] for name, values in events.items()}
    out: Table = {name: np.asarray(rows[name])[chosen] for name in _NAMED}
    tapes = asset_tapes(tape, manifest, until_ms)
    paid = {style: _paid(part, tapes, style, manifest) for style in RESTING}
    out["cross"] = paid[EntryStyle.JOIN].crossed_bps
    for style, payoffs in paid.items():
        out[f"{style}_low"], out[f"{style}_high"] = payoffs.low.payoff_bps, payoffs.high.payoff_bps
        out[f"{style}_rested_low"], out[f"{style}_rested_high"] = payoffs.low.rested, payoffs.high.rested
    return out


def _paid(part: Columns, tapes: Sequence[AssetTape], style: EntryStyle, manifest: Manifest) -> PassivePayoffs:
    n = len(part["event_id"])
    improves = np.full(n, style is EntryStyle.IMPROVE)
    return resting_payoffs(part, tapes, EntryPlans(improves, np.zeros(n, np.bool_)), manifest)
