"""How often the weekly refit of asymmetry takes weights up where nothing foretells, and how often where two parts do.

`python -m benchmarks.governance.asymmetry_refit --row asym-nothing --seeds 1-200`: the product's own fit and verdict on
four weeks of rows each. Beside it stands what takes up whatever gains on the days it was fitted on.
"""

from pathlib import Path

import numpy as np

from benchmarks.governance.one_sided_worlds import PUSHES, OneSided, rows_of
from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import ROOT, Study
from benchmarks.lessons.worlds import Figures
from lotus.detectors.asymmetry_fit import SHIPPED, gain_on, refit_weights, winner


def measure(world: OneSided, seed: int) -> Figures:
    """Return whether weights were taken up, whether those that push weigh more than all others, and the naive rule."""
    rows = rows_of(world, seed)
    proposals = refit_weights(rows, SHIPPED)
    won, fitted = winner(proposals), [one for one in proposals if one.kind == "fitted"]
    weights = np.array(won.weights if won else SHIPPED)
    naive = any(gain_on(rows, one.weights, SHIPPED) > 0.0 for one in fitted)
    return {
        "worlds": 1,
        "taken": int(won is not None),
        "right": int(won is not None and weights[PUSHES > 0.0].min() > weights[PUSHES == 0.0].max()),
        "naive": int(naive),
        "gain": fitted[0].verdict.gain if fitted else 0.0,
        "one_sided": float(rows.one_sided().mean()),
    }


SOURCES = (
    Path(__file__),
    Path(__file__).with_name("one_sided_worlds.py"),
    ROOT / "lotus" / "detectors" / "asymmetry_fit.py",
    *(ROOT / "lotus" / "experts" / "weekly" / f"{name}.py" for name in ("refit", "verdict")),
)
_WORLDS = {
    "asym-nothing": OneSided("nothing"),
    "asym-lasting": OneSided("lasting"),
    "asym-trending": OneSided("trending"),
    "asym-vol": OneSided("vol"),
    "asym-turned": OneSided("turned", push=0.4),
    "asym-planted": OneSided("planted", push=0.4),
    "asym-faint": OneSided("planted", push=0.2),
}
STUDIES = {
    name: Study(name, world, measure, SOURCES, OneSided(world.kind, world.push, assets=1), 1.0)
    for name, world in _WORLDS.items()
}
TAKEN = "weights are taken up where nothing foretells"
CLAIMS = [
    *(
        Claim(f"asym-{kind}", TAKEN, total("taken", "worlds"), 0.05)
        for kind in ("nothing", "lasting", "trending", "vol")
    ),
    *(
        Claim(f"asym-{kind}", "the same by gain on the days of the fit", total("naive", "worlds"))
        for kind in ("nothing", "lasting", "trending", "vol")
    ),
    Claim("asym-planted", "a planted push is taken up", total("taken"), 0.9, True),
    Claim("asym-planted", "what pushes weighs more than all else", total("right"), 0.9, True),
    Claim("asym-faint", "half of that push is taken up", total("taken")),
    Claim("asym-turned", "a push that ended a week ago is taken up", total("taken", "worlds")),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
