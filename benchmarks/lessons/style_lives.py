"""A style that pays in a context until it dies: `python -m benchmarks.lessons.style_lives --seeds 1-100`.

Worlds in which joining pays 3 bps more than crossing where the volatility is high, until night 40; each window is tried
in a style by the product's draw, every night is the product's (`benchmarks.trading.style_worlds`). Counted are worlds
in which the style of a plan moves there within 25 nights, is back within 14 of the death, and ever moves elsewhere.
Nights are of one knob's learner whose slots begin with the life.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import FOLDER, ROOT, Study, best_rows
from benchmarks.lessons.worlds import Figures
from benchmarks.trading.style_worlds import StyleWorld, found_in

SOON, ENDED = 25, 14  # nights until the knob moves; nights after the death until it is back


@dataclass(frozen=True, slots=True)
class StyleLives:
    """What joining pays more inside the context, in bps, the night on which it dies, nights, and windows a day."""

    bps: float = 3.0
    dies: int = 40
    nights: int = 75
    windows: int = 2_000


def life(setting: StyleLives, seed: int) -> Figures:
    """Return when the style moved where it pays and when it was back (0: never), and whether it moved elsewhere."""
    began = time.process_time()
    found = found_in(StyleWorld(seed, setting.bps, setting.dies, setting.windows), setting.nights)
    moved = found.moved if found.moved is not None and found.moved <= setting.dies else 0
    back = found.back or 0
    return {
        "moved": moved,
        "soon": int(0 < moved <= SOON),
        "acted": int(moved > 0),
        "back": back if moved else 0,
        "ended": int(moved > 0 and 0 < back <= ENDED),
        "elsewhere": int(found.elsewhere > 0),
        "lessons": found.lessons,
        "cpu_s": time.process_time() - began,
    }


def lines(folder: Path = FOLDER) -> list[str]:
    """Return the nights until the style moved and until it was back, as Markdown lines; empty without rows."""
    out = []
    for name, study in STUDIES.items():
        rows = best_rows(study, folder)
        nights = [[int(row[column]) for row in rows if row[column] != "0"] for column in ("moved", "back")]
        if rows:
            out.append(f"| `{name}` | {len(rows)} | {_middle(nights[0])} | {_middle(nights[1])} |")
    head = "| study | worlds | moved on night, median / 90 % | back, nights after the death, median / 90 % |"
    return [head, "|---|---|---|---|", *out, ""] if out else []


def _middle(nights: Sequence[int]) -> str:
    return f"{np.median(nights):g} / {np.quantile(nights, 0.9):g}" if nights else ""


_HERE = (
    Path(__file__),
    ROOT / "benchmarks" / "trading" / "style_worlds.py",
    *(ROOT / "lotus" / "knobs" / f"{name}.py" for name in ("nightly", "past", "rows", "style_trials", "style_draw")),
    *(ROOT / "lotus" / "weave" / f"{name}.py" for name in ("admission", "night", "watchdog")),
)
STUDIES = {"style-pays": Study("style-pays", StyleLives(), life, _HERE, StyleLives(9.0, 20, 30, 200), 30.0)}
CLAIMS = [
    Claim("style-pays", "the style moves where it pays, within 25 nights", total("soon"), 0.9, at_least=True),
    Claim("style-pays", "of those in force at the death: back within 14 nights", total("ended", "acted"), 0.9, True),
    Claim("style-pays", "the style moves in the calmest fifth, where it pays nothing", total("elsewhere"), 0.05),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
