"""An export advises, on ten thousand windows, what lotus/detectors/scoring/scorer.py added to the logit when it scored.

The shipped detectors on a random market, under random beliefs with meta and field braids, gates and levels; the scorer
is the one of daemon and batch, the export is lotus_lab/export/home.py, read from JSON and from the module of a bot.
"""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from random_specs import random_beliefs

from lotus.detectors.scoring.scorer import score_windows
from lotus.manifest import Manifest
from lotus.priors.types import PriorsVersion
from lotus.priors.vocabulary import DEFAULT
from lotus.timebase import day_of
from lotus_lab.export import render
from lotus_lab.export.carried import CarriedLessons, StaleLessons
from lotus_lab.export.home import home_data

SCORE, WEAVE = Manifest().score, Manifest().weave
ALIGNED = {f.name for f in DEFAULT.features if f.aligned}


def module_of(data: dict[str, Any]) -> CarriedLessons:
    """Return the lessons of an export, loaded as a bot loads the module."""
    lessons: CarriedLessons = render.module_of(render.rendered(data, "python")).LESSONS
    return lessons


def values_of(row: Any, side: int) -> dict[str, float]:
    """Return the features of an event in their own units: a stored one is turned along with the signal."""
    turned = side or 1
    return {f.name: getattr(row, f"x_{f.name}") * (turned if f.name in ALIGNED else 1) for f in DEFAULT.features}


def check(events: pd.DataFrame, version: PriorsVersion, lessons: tuple[CarriedLessons, ...]) -> Counter[str]:
    """Compare each event of a version with the advice of all its exports; return how many of which kind."""
    counts, levels = Counter[str](), {b.braid_id for b in version.braids if b.level}
    for row in events[events["priors_ver"] == version.priors_ver].itertuples():
        side = int(np.sign(row.s))
        asked = row.detector_id, row.asset, values_of(row, side), int(row.window_end_ms)
        one, *others = (x.advise(*asked, side=side, theta1=row.theta1) for x in lessons)
        assert all(x == one for x in others), "JSON and module advise the same"
        assert lessons[0].bins(*asked[1:3], side) == [getattr(row, f"b_{f.name}") for f in DEFAULT.features]
        names = [b["id"] for b in lessons[0].data["detectors"][row.detector_id]["braids"]]
        assert sum(1 << names.index(b) for b in one.braids) == row.fired
        assert (one.theta, one.phi) == (row.theta2, row.phi_mult), "bit for bit"
        counts["windows"] += 1
        tilt = (row.ln_sigma_tilde - row.ln_sigma_0) / row.temperature
        assert one.tilt - one.gate == pytest.approx(tilt, abs=1e-9)
        assert one.gate == pytest.approx(row.gate, abs=1e-9)
        counts["moved"] += one.tilt != 0.0
        counts["gated"] += one.gate != 0.0
        if row.eligible:
            chance = 1 / (1 + np.exp(-((row.ln_sigma_0 - np.log(row.tau_pub)) / row.temperature + one.tilt)))
            floor = max(SCORE.epsilon, WEAVE.trust_floor) if levels.intersection(one.braids) else SCORE.epsilon
            assert row.pi == pytest.approx(min(max(chance, floor), 1 - floor), abs=1e-9)
            counts["published with that chance"] += floor < chance < 1 - floor
    return counts


@pytest.mark.process("twelve thousand windows are each asked twice in plain Python")
def test_ten_thousand_scored_windows_are_advised_as_they_were_scored(chain: Any) -> None:
    rng, counts, m = np.random.default_rng(5), Counter[str](), chain.manifest
    for day in (10, 11, 12):
        windows, tables = chain.windows[day], chain.tables[day]
        versions = random_beliefs(rng, windows)
        events = pd.DataFrame(score_windows(windows, m, m.universe, tables, versions, "main"))
        for version in versions[1:]:
            data = home_data(version, replace(tables, day=day_of(version.effective_from_ms)), m, {})
            lessons = CarriedLessons(json.loads(json.dumps(data)))
            counts += check(events, version, (lessons, module_of(data)))
            for now_ms in (data["until_ms"], data["from_ms"] - 1):
                with pytest.raises(StaleLessons):
                    lessons.of_bins(tables.detector_ids[0], [0] * 12, now_ms)
    assert counts["windows"] > 10_000
    assert counts["gated"] > 5000
    assert counts["published with that chance"] > 500
