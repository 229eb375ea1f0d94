"""Windows scored from a blank state, in the order of the written table."""

from collections.abc import Sequence

from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.scorer import Scorer, in_key_order
from lotus.detectors.windows.builder import WindowBatch
from lotus.manifest import Asset, Manifest
from lotus.priors.types import PriorsVersion


def score_windows(
    windows: WindowBatch,
    manifest: Manifest,
    universe: Sequence[Asset],
    tables: DayTables,
    priors: Sequence[PriorsVersion],
    branch: str,
) -> Columns:
    """Score windows that start from a blank state; columns of SIGNAL_EVENTS in key order."""
    return in_key_order(Scorer(manifest, universe, windows.detectors, tables, priors, branch).feed_all(windows))
