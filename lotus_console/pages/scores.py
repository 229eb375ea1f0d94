"""The scores of the daemon's last minute, published or not: each against its threshold, and why not.

Windows are found by their identities, so that no index over the daemon's log is needed.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from lotus.detectors.scoring.signal_spec import VETOES
from lotus.hashing import natural_id
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, of_list
from lotus_live.reports.health import read_status

WINDOWS: Final = 12  # of a detector and coin: a minute


def newest_scores(reading: HomeReading) -> list[dict[str, Any]]:
    """Return the windows of the last minute of the daemon's last run, the newest first, then the likeliest."""
    status = read_status(reading.settings.home)
    end_ms = status.get("last_window_end_ms", 0)
    if not isinstance(end_ms, int) or status.get("branch") != reading.settings.branch:
        return []
    manifest, branch = reading.settings.manifest, reading.settings.branch
    starts = [end_ms - k * manifest.kernel.window_ms for k in range(1, WINDOWS + 1)]
    names = [
        natural_id(branch, detector.detector_id, detector.version, asset.name, start)
        for detector in reading.detectors() for asset in manifest.universe for start in starts
    ]  # fmt: skip
    rows = reading.rows("sig", "scores", run=str(status.get("run_id", "")), events=names)
    return [row | {"why": why(row)} for row in rows]


def why(row: Mapping[str, Any]) -> str:
    """Return why a window was published or not, with the number that decided.

    >>> why({"published": False, "veto": 5, "draw": 0.5, "pi": 0.0})
    'vetoed: no signal, kairos'
    >>> why({"published": False, "veto": 0, "draw": 0.5, "pi": 0.125})
    'its draw 0.500 is not below 0.125'
    """
    if row["veto"]:
        return f"vetoed: {', '.join(words for bit, words in VETOES.items() if row['veto'] & bit)}"
    return f"its draw {row['draw']:.3f} is {'' if row['published'] else 'not '}below {row['pi']:.3f}"


def _scores(reading: HomeReading, question: Question) -> Answer:
    rows = newest_scores(reading)
    if not rows:
        return Answer([], False, "No daemon has scored anything here")
    published, above = (sum(test(row) for row in rows) for test in (_is_published, _is_above))
    words = f"{published} of {len(rows)} scores of the last minute were published, {above} reach their threshold"
    return of_list(rows, question, words)


def _is_published(row: Mapping[str, Any]) -> bool:
    return bool(row["published"])


def _is_above(row: Mapping[str, Any]) -> bool:
    return not row["veto"] and math.isfinite(row["score"]) and bool(row["score"] >= row["tau_pub"])


SCORES = Table(
    "scores", "Scores", "What did the daemon score in its last minute, and why was it published or not?",
    (
        ShownColumn("window_end_ms", "window's end", ValueKind.TIME, is_ordered=True),
        ShownColumn("detector_id", "detector", link="/detectors/{detector_id}", is_ordered=True),
        ShownColumn("asset", "asset", is_ordered=True),
        ShownColumn("s", "signal", ValueKind.NUMBER, about="its sign is the direction", is_ordered=True),
        ShownColumn("score", "score", ValueKind.NUMBER, about="with beliefs", is_ordered=True),
        ShownColumn("tau_pub", "threshold", ValueKind.NUMBER, about="of the day: published with even odds there"),
        ShownColumn("pi", "propensity", ValueKind.SHARE, is_ordered=True),
        ShownColumn("published", "published", ValueKind.FLAG, is_ordered=True),
        ShownColumn("why", "why", is_wide=True),
        ShownColumn("draw", "draw", ValueKind.NUMBER, is_shown=False),
        ShownColumn("veto", "veto", ValueKind.COUNT, about="sum of bits", is_shown=False),
        ShownColumn("event_id", "event", ValueKind.CODE, is_shown=False),
    ),
    _scores, (Filter("detector_id", "detector"), Filter("asset", "asset")),
    empty="nothing yet: `lotus live` scores what it hears, `lotus replay` a recording",
)  # fmt: skip
