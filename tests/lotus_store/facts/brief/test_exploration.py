"""The bill of exploration: by hand over a few windows, of the experiments that a night names and no others."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.learning.payoff_scores import PAYOFF_SCORES
from lotus.priors.types import IDENTITY, Literal, Patch, Rule
from lotus.weave.braid import Braid, Quality
from lotus.weave.experiment import Experiment
from lotus.weave.night import BraidEvent
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.facts.brief.exploration import bill_of
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.braids import write_night

DAY, FLOOR = "2026-01-05", 0.1
BRAID = Braid(
    braid_id="e" * 32, branch="main", braid_type="field", detector_id="micro_drift", horizon_s=30,
    rule=Rule.of(Literal(8, 3, 4)), sign=1, lesson_id="", grade="C", claim_bps=1.0, lcb_bps=0.0, ci95=(0.0, 1.0),
    support=0, quality=Quality(1.0, 0.0, 0.0, 0.0), target=Patch(), patch=IDENTITY, delta_wanted=0.0,
    delta_realised=(0.0, 0.0, 0.0), state="active", reason="", effective_from_ms=0, expires_at_ms=2**52,
    members_sample=(), experiment=Experiment(FLOOR, 2.0, 40.0, False),
)  # fmt: skip
ROW = {"braid_id": BRAID.braid_id, "detector_id": BRAID.detector_id}


def test_nothing_explores(databases: Databases, settings: Settings) -> None:
    assert bill_of(settings, DAY, DAY, ()) is None
    assert bill_of(settings, DAY, DAY, ({"braid_id": "", "detector_id": "a proposal"},)) is None


def test_the_floor_adds_propensity_inside_the_rule_alone(databases: Databases, settings: Settings) -> None:
    usual = np.array([0.02, 0.02, 0.5, 0.02, 0.02, 0.02])
    with databases.connect("sig") as sig:
        event = BraidEvent(BRAID.braid_id, "none", "proposed", "", "", "")
        write_night(sig, "main", DAY, [replace(BRAID, state="active")], [event])
    columns = {
        "detector_id": ["micro_drift"] * 5 + ["basis_shock"],
        "p": [
            0.1,
            0.02,
            0.5,
            0.1,
            0.1,
            0.1,
        ],  # raised, on a day off, above the floor, unknown payoff, outside, another's
        "u0": np.log(usual / (1.0 - usual)),
        "payoff_p": [-5.0, 7.0, 9.0, np.nan, 100.0, 100.0],
        "b_spread": [3, 3, 4, 4, 1, 3],
    }
    rows = {}
    for column in PAYOFF_SCORES.columns:
        plain = np.full(6, "" if column.dtype == "text" else 0)
        rows[column.name] = np.asarray(columns.get(column.name, plain), PAYOFF_SCORES.numpy_dtype(column.name))
    for day in ("2026-01-03", DAY):
        Lake(settings.lake_root).write(PAYOFF_SCORES, "main", day, rows)
    bill = bill_of(settings, "2026-01-04", DAY, (ROW,))
    assert bill is not None
    assert (bill.days, bill.publications) == (DAY, pytest.approx(2 * 0.08))
    assert bill.usd == pytest.approx(0.08 * -5.0 * settings.manifest.outcomes.probe_notional_usd / 1e4)
    both = bill_of(settings, "2026-01-01", DAY, (ROW, ROW | {"braid_id": "gone"}))
    assert both is not None
    assert [row["publications"] for row in both.rows] == [pytest.approx(4 * 0.08), 0.0]
