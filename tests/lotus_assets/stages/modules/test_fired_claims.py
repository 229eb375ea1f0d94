"""Claims that were kept for long enough are counted on, those of a loser's braid that were not stay unheard."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.decision.knowledge.claims import MIN_DAYS, in_force
from lotus.priors.types import ActiveBraid, Patch, PriorsVersion, Rule, priors_0, priors_version
from lotus.timebase import next_day
from lotus.weave.braid import Braid, Quality
from lotus.weave.night import BraidEvent
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules import dm_evidence
from lotus_assets.stages.modules.fired_claims import with_claims_of
from lotus_assets.stages.runner import run_stage
from lotus_store.ledger.beliefs.braids import write_night
from lotus_store.ledger.beliefs.priors import put_version

from ..known_days import a_day, known, night

DAYS = [next_day("2026-01-05", k) for k in range(MIN_DAYS + 3)]
CLAIM_BPS = 2.0


@pytest.fixture
def version(ctx: StageContext) -> PriorsVersion:
    """A braid of each detector on the registry, in force from the beginning, with a claim."""
    patch = Patch(-0.05, 1.02)
    names = {"winner": "w", "loser": "l"}
    braids = [
        Braid(
            braid_id=name, branch=ctx.branch, braid_type="micro", detector_id=detector, horizon_s=300, rule=Rule(),
            sign=1, lesson_id="x", grade="A", claim_bps=CLAIM_BPS, lcb_bps=0.5, ci95=(0.1, 2.0), support=10,
            quality=Quality(0.1, 0.2, 0.3, 0.4), target=patch, patch=patch, delta_wanted=0.2,
            delta_realised=(0.1, 0.0, 0.2), state="active", reason="", effective_from_ms=0, expires_at_ms=2**50,
            members_sample=("e",),
        )
        for detector, name in names.items()
    ]  # fmt: skip
    made = priors_version(ctx.branch, 1, tuple(b.active() for b in braids))
    events = [BraidEvent(b.braid_id, "proposed", "active", "because", "before", "after") for b in braids]
    write_night(ctx.sig, ctx.branch, "2026-01-04", braids, events)
    put_version(ctx.sig, made, "2026-01-04", priors_0(ctx.branch))
    return made


def test_kept_claims_are_counted_on_after_enough_days_and_raise_what_is_promised(
    ctx: StageContext, version: PriorsVersion
) -> None:
    with ctx.databases.connect("dm", autocommit=True) as dm:
        for k, day in enumerate(DAYS):
            a_day(ctx, day, k, version, kept_bps=1.5)
            night(ctx, day)
            found = known(dm, ctx.branch, day)
            slopes = in_force(found.claims)
            assert bool(slopes) == (k >= MIN_DAYS), "the first day has no promise to compare with"
        (winner,) = [c for c in found.claims if c.source == "det:winner@1"]
        assert winner.found == pytest.approx(0.75, abs=0.1)
        assert (winner.level, winner.days) == (0, len(DAYS) - 1)
        assert slopes["det:winner@1", 300, 0] == winner.value
    content = dm_evidence.present(ctx, DAYS[-1])
    assert content
    run_stage(replace(ctx, force=True), dm_evidence.STAGE, DAYS[-1])
    assert dm_evidence.present(ctx, DAYS[-1]) == content


def test_where_no_braid_claims_there_is_no_table(ctx: StageContext) -> None:
    for k, day in enumerate(DAYS[:2]):
        a_day(ctx, day, k)
        night(ctx, day)
    assert not ctx.lake.exists("dm_claims", ctx.branch, DAYS[1])
    with ctx.databases.connect("dm", autocommit=True) as dm:
        assert known(dm, ctx.branch, DAYS[1]).claims == ()


def test_a_braid_that_is_on_no_registry_claims_nothing(ctx: StageContext) -> None:
    stranger = ActiveBraid("s", "micro", "winner", 300, Rule(), Patch(-0.05, 1.02))
    made = priors_version(ctx.branch, 2, (stranger,))
    put_version(ctx.sig, made, "2026-01-04", priors_0(ctx.branch))
    events = {
        "fired": np.array([1, 0], np.uint64), "priors_ver": np.full(2, made.priors_ver, object),
        "detector_id": np.full(2, "winner", object),
    }  # fmt: skip
    told = with_claims_of(ctx, events)
    assert told["claim_level"].tolist() == [-1, -1]
