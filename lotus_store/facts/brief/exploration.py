"""The bill of exploration: what running experiments drew beyond the scores, and what that was expected to pay.

Of windows that matured: an experiment's floor adds to the propensity of a window in its rule, and the modelled payoff
of the window weighed by that is the price. In the literature: the cost of exploration of an epsilon-greedy policy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lotus.learning.payoff_scores import bins_of
from lotus.priors.asset_context import is_about_asset
from lotus.priors.segment_context import rule_words
from lotus.priors.vocabulary import BIN_COLUMNS, DEFAULT, rule_mask
from lotus.weave.braid import Braid
from lotus_store.asset_context import AT_COLUMNS, with_asset_bins
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.facts.words import day_ranges
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.braids import read_braid

BPS = 1e4
_READ = ("detector_id", "p", "u0", "payoff_p", *AT_COLUMNS, *BIN_COLUMNS)


@dataclass(frozen=True, slots=True)
class Bill:
    """Publications beyond those of the scores and what they pay, USD by probes, both expected; `rows` of experiments.

    A row is that of the nightly run with `publications` and `usd` of its own.
    """

    days: str
    publications: float
    usd: float
    rows: tuple[Mapping[str, Any], ...]


def bill_of(settings: Settings, since: str, last: str, experiments: Sequence[Mapping[str, Any]]) -> Bill | None:
    """Return the bill of a nightly run's experiments over the days from `since` to `last`; None without any."""
    with Databases(settings) as databases, databases.connect("sig") as sig:
        braids = [(row, read_braid(sig, row["braid_id"])) for row in experiments if row["braid_id"]]
    lake, days = Lake(settings.lake_root), list[str]()
    totals = {row["braid_id"]: np.zeros(2) for row, _ in braids}
    for day in lake.days("payoff_scores", settings.branch):
        if braids and since <= day <= last:
            days.append(day)
            windows = lake.read("payoff_scores", settings.branch, day, columns=_READ)
            for row, braid in braids:
                totals[row["braid_id"]] += 0.0 if braid is None else _added(lake, settings, windows, braid)
    if not braids:
        return None
    probe = settings.manifest.outcomes.probe_notional_usd / BPS
    rows = tuple({**row, "publications": float(n), "usd": float(paid * probe)}
                 for row, _ in braids for n, paid in [totals[row["braid_id"]]])  # fmt: skip
    return Bill(day_ranges(days), sum(row["publications"] for row in rows), sum(row["usd"] for row in rows), rows)


def _added(lake: Lake, settings: Settings, windows: Mapping[str, Any], braid: Braid) -> np.ndarray[Any, Any]:
    """Return the expected publications that an experiment's floor added on a day, and their payoffs in sum, bps."""
    words = rule_words(settings.manifest) if is_about_asset(braid.rule) else DEFAULT
    if words is not DEFAULT:
        windows = with_asset_bins(lake, settings.branch, settings.manifest, windows)
    inside = (windows["detector_id"] == braid.detector_id) & rule_mask(braid.rule, bins_of(windows, words))
    p, u0, paid = (windows[name][inside].astype(np.float64) for name in ("p", "u0", "payoff_p"))
    floor = braid.experiment.floor if braid.experiment else 0.0
    more = np.maximum(0.0, np.minimum(p, floor) - 1.0 / (1.0 + np.exp(-u0)))
    return np.array([more.sum(), np.dot(more, np.nan_to_num(paid))])
