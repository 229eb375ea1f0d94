"""The null of styles over a year: `python -m benchmarks.lessons.styles --seeds 1-300`.

Worlds in which no style pays more than another, 2,000 windows a day, each tried in a style by the product's draw; every
night is the product's (`benchmarks.trading.style_worlds`). Counted are years in which the trader accepts any lesson.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import ROOT, Study
from benchmarks.lessons.worlds import Figures
from benchmarks.trading.style_worlds import StyleWorld, null_life


@dataclass(frozen=True, slots=True)
class StyleYears:
    """Nights of a life, and windows of a day."""

    nights: int = 365
    windows: int = 2_000


def year(setting: StyleYears, seed: int) -> Figures:
    """Return whether a year accepted a lesson, how many, and whether the bars of both lanes were crossed."""
    began = time.process_time()
    found = null_life(StyleWorld(seed, 0.0, windows=setting.windows), setting.nights)
    return {
        "any": int(found.lessons > 0),
        "lessons": found.lessons,
        "crossed": int(found.crossed),
        "cpu_s": time.process_time() - began,
    }


_HERE = (
    Path(__file__),
    ROOT / "benchmarks" / "trading" / "style_worlds.py",
    *(ROOT / "lotus" / "knobs" / f"{name}.py" for name in ("nightly", "past", "rows", "style_trials", "style_draw")),
)
STUDIES = {"style-null": Study("style-null", StyleYears(), year, _HERE, StyleYears(30, 200), 15.0)}
CLAIMS = [
    Claim("style-null", "any lesson about a style in a year in which none pays", total("any"), 0.01),
    Claim("style-null", "the largest evidence crossed the bars of both lanes", total("crossed")),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
