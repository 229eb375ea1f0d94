"""What the rows of a study are said to show: counts with exact binomial intervals, beside the limit they must keep.

A claim passes when its limit is inside or on the right side of the 95 % interval; whether the point estimate keeps it
too is said apart. Reference: Clopper and Pearson (1934).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scipy.stats import beta

from benchmarks.lessons.evidence import Row, Study, best_rows

Counts = tuple[float, float]
FEW = 100  # worlds below which a rate is not taken as shown


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of a table: `counts` gives (hits, trials) of a study's rows; at most or at least `limit`.

    A claim without a limit is only reported.
    """

    study: str
    what: str
    counts: Callable[[Sequence[Row]], Counts]
    limit: float | None = None
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """A claim with its figures; of its `worlds`, `present` were made by the present code."""

    study: str
    what: str
    hits: float
    trials: float
    low: float
    high: float
    limit: float | None
    at_least: bool
    worlds: int
    present: int

    @property
    def share(self) -> float:
        """Return hits per trial."""
        return self.hits / self.trials if self.trials else float("nan")

    @property
    def verdict(self) -> str:
        """Return met, limit inside the interval, or MISSED, and whether the worlds are few; "" when only reported."""
        if self.limit is None or not self.trials:
            return ""
        kept = self.share >= self.limit if self.at_least else self.share <= self.limit
        inside = self.high >= self.limit if self.at_least else self.low <= self.limit
        few = ", few worlds" if 0.0 < self.limit < 1.0 and self.worlds < FEW else ""
        return ("met" if kept else "limit inside the interval" if inside else "**MISSED**") + few

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"share": self.share, "verdict": self.verdict.replace("*", "")}


def total(column: str, over: str = "") -> Callable[[Sequence[Row]], Counts]:
    """Return a counter: the sum of a column over the sum of another (over the number of rows when "").

    Rows of an earlier code, which has no such column, are not counted.
    """

    def counts(rows: Sequence[Row]) -> Counts:
        rows = [row for row in rows if column in row]
        trials = sum(float(r[over]) for r in rows) if over else float(len(rows))
        return sum(float(r[column]) for r in rows), trials

    return counts


def sums(columns: Sequence[str], each: int = 1) -> Callable[[Sequence[Row]], Counts]:
    """Return a counter of several 0/1 columns together, `each` trials a row and column."""

    def counts(rows: Sequence[Row]) -> Counts:
        return sum(float(r[c]) for r in rows for c in columns), float(len(rows) * len(columns) * each)

    return counts


def interval(hits: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Return the exact binomial interval.

    >>> [round(x, 4) for x in interval(0, 100)]
    [0.0, 0.0362]
    """
    if trials <= 0:
        return 0.0, 1.0
    tail = (1.0 - level) / 2.0
    low = float(beta.ppf(tail, hits, trials - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def judge(claim: Claim, study: Study, folder: Path) -> Result:
    """Return what the rows of a study say about one claim."""
    rows = best_rows(study, folder)
    hits, trials = claim.counts(rows) if rows else (0.0, 0.0)
    low, high = interval(hits, trials)
    present = sum(row["code"] == study.code_hash for row in rows)
    return Result(claim.study, claim.what, hits, trials, low, high, claim.limit, claim.at_least, len(rows), present)


def judged(claims: Sequence[Claim], studies: Mapping[str, Study], folder: Path) -> list[Result]:
    """Return the results of the claims about the studies given, in the order of the claims."""
    return [judge(c, studies[c.study], folder) for c in claims if c.study in studies]


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| study | what | accept | measured | 95 % interval | of | worlds | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        if not r.trials:
            lines.append(f"| `{r.study}` | {r.what} | {_limit(r)} | not run | | | {r.worlds} | |")
            continue
        lines.append(
            f"| `{r.study}` | {r.what} | {_limit(r)} | {r.share:.1%} | {r.low:.1%} to {r.high:.1%} "
            f"| {r.hits:g} of {r.trials:g} | {r.worlds} | {r.verdict} |"
        )
    return "\n".join(lines)


def _limit(result: Result) -> str:
    if result.limit is None:
        return ""
    return f"{'≥' if result.at_least else '≤'} {100 * result.limit:g}%"
