"""What chance alone would have shown: the search of a night over its own outcomes with their signs shuffled.

The nightly run turns the signs of each day's scores by a coin, the same for all rules, and searches every rule again,
some hundred times; the best evidence of each time is stored with the night. Nothing is computed again here. In the
literature: sign-flip test, null distribution of the maximum (Westfall and Young, 1993).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from lotus.learning.lanes import NAMES
from lotus_console.charts import histogram
from lotus_console.reading import HomeReading
from lotus_console.tables import LONGEST, Answer, Filter, Question, ShownColumn, Table, ValueKind, of_list
from lotus_console.views import Facts, PageView

BINS = 30


@dataclass(frozen=True, slots=True, eq=False)
class ShuffledNight:
    """One night that looked: evidence in nats, of both lanes (same day, rest of the day).

    `shuffled` f8[2, draws] is the best evidence of each shuffle, `bar` f8[2] what a rule needs, `real` f8[2] the best
    of the outcomes as they were, over `rules` rules.
    """

    day: str
    shuffled: NDArray[np.float64]
    bar: NDArray[np.float64]
    real: NDArray[np.float64]
    rules: int

    @property
    def passed(self) -> NDArray[np.bool_]:
        """Which shuffles have a best rule beyond the bar in each lane, bool[draws]; it may be another in each."""
        both: NDArray[np.bool_] = np.logical_and(*(self.shuffled > self.bar[:, None]))
        return both


class NoiseFacts(TypedDict):
    """The night, its shuffles by lane, and how often each size of evidence came."""

    title: str
    day: str
    rules: int
    shuffles: int
    lanes: list[dict[str, Any]]
    pictures: list[str]


def shuffled_night(reading: HomeReading, day: str = "") -> ShuffledNight | None:
    """Return the night of a day, or the newest one that looked for lessons; None where there is none."""
    rows = reading.rows("sig", "shuffled_night", day=day)
    if not rows:
        return None
    body = rows[0]["body"]
    shuffled, bar, real = (np.array(body[name], float) for name in ("draw_maxima", "critical", "real_maximum"))
    return ShuffledNight(rows[0]["day"], shuffled, bar, real, int(body["trials"]))


def chance_words(night: ShuffledNight | None) -> str:
    """Return what chance alone would have shown in a night, as a sentence."""
    if night is None:
        return "No night has looked for lessons yet, so there is nothing to shuffle."
    draws, passed = night.shuffled.shape[1], int(night.passed.sum())
    return (
        f"Chance alone: with outcomes shuffled, at most {passed} of {draws} searches of {night.rules:,} rules would "
        f"have shown a lesson in the night of {night.day}."
    )


def noise_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return the shuffles of a night; raises `LookupError` for a day whose night did not look."""
    day = given.get("day", "")[:LONGEST]
    night = shuffled_night(reading, day)
    if night is None and day:
        raise LookupError(f"the night of {day[:20]!r} did not look for lessons")
    if night is None:
        return {"title": chance_words(None), "day": "", "rules": 0, "shuffles": 0, "lanes": [], "pictures": []}
    draws, passed = night.shuffled.shape[1], int(night.passed.sum())
    return {
        "title": f"On shuffled outcomes at most {passed} of {draws} nights would have shown a lesson",
        "day": night.day,
        "rules": night.rules,
        "shuffles": draws,
        "lanes": [_lane(night, k) for k in (0, 1)],
        "pictures": [_picture(night, k) for k in (0, 1)],
    }


def _lane(night: ShuffledNight, k: int) -> dict[str, Any]:
    best, bar = night.shuffled[k], float(night.bar[k])
    half, most, top = (float(np.quantile(best, q, method="lower")) for q in (0.5, 0.95, 1.0))
    return {
        "lane": NAMES[k], "half": half, "most": most, "top": top, "bar": bar, "passed": int((best > bar).sum()),
        "real": float(night.real[k]),
    }  # fmt: skip


def _picture(night: ShuffledNight, k: int) -> Markup:
    finite = night.shuffled[k][np.isfinite(night.shuffled[k])]
    points = [float(x) for x in (*finite, night.bar[k], night.real[k]) if math.isfinite(x)]
    if not points:
        return Markup("")
    scale = (min(points), max(points) + 1e-9)
    counts, _ = np.histogram(finite, BINS, scale)
    marks = [(float(x) - scale[0]) / (scale[1] - scale[0]) for x in (night.bar[k], night.real[k]) if math.isfinite(x)]
    return histogram(counts.tolist(), NAMES[k], f"{scale[0]:.2f} to {scale[1]:.2f} nats", marks)


def _shuffles(reading: HomeReading, question: Question) -> Answer:
    night = shuffled_night(reading, question.filters.get("day", ""))
    if night is None:
        return Answer([], False, "No night has looked for lessons yet")
    rows: list[dict[str, Any]] = [
        {"day": night.day, "draw": k, "same_day": float(a), "rest": float(b), "passed": bool(passed)}
        for k, ((a, b), passed) in enumerate(zip(night.shuffled.T, night.passed, strict=True))
    ]
    rows.sort(key=lambda row: (-min(row["same_day"], row["rest"]), row["draw"]))
    return of_list(rows, question, chance_words(night))


NOISE = PageView(
    "/noise", "Chance alone", "What would the lessons be had outcomes been shuffled?", noise_facts, "noise.html",
    ("day",), NoiseFacts,
)  # fmt: skip
SHUFFLES = Table(
    "shuffles", "Shuffles", "How good is the best rule of outcomes that were shuffled? One row a shuffle, nats.",
    (
        ShownColumn("draw", "shuffle", ValueKind.COUNT, is_ordered=True),
        ShownColumn("same_day", "best, same day", ValueKind.BPS, "nats", is_ordered=True),
        ShownColumn("rest", "best, rest of the day", ValueKind.BPS, "nats", is_ordered=True),
        ShownColumn("passed", "beyond both bars", ValueKind.FLAG, is_ordered=True),
        ShownColumn("day", "night", ValueKind.DAY),
    ),
    _shuffles, (Filter("day", "night"),),
    empty="no night has looked for lessons yet: `lotus lessons` says how far the search is",
    links=(("what that means", "/noise"),),
)  # fmt: skip
