"""The day's audits as a stage: shipped detectors pass, a leak is told and ends a version, sleeping audits block."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.audits import adversarial, leakage
from lotus.detectors.audits.sample import BUDGET_FRAMES, SHORT_FRAMES, forward_returns
from lotus.detectors.audits.table import curator_inputs
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import WindowBatch, build_windows
from lotus.detectors.windows.row_spec import F_SIGNAL, W_ASSET, W_END
from lotus.experts.machine import AnnotationBatch
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import expert_set
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import detector_audits, detector_cards, payoff_scores, signal_eval, signal_events
from lotus_store.ledger.day_commits import read_commit

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("whole days through their stages")]

NAMES = [d.detector_id for d in shipped_detectors()]


@pytest.fixture
def scored(ctx: StageContext, days: list[str]) -> StageContext:
    """A context whose first day is scored."""
    for stage in (*TAPE_STAGES, expert_set.STAGE, signal_events.STAGE):
        run_stage(ctx, stage, days[0])
    return ctx


def leaking(
    frames: FrameBatch, annotations: AnnotationBatch, manifest: Manifest, detectors: Sequence[DetectorSpec], at: int = 2
) -> WindowBatch:
    """Windows in which the signal of one detector is the return of the next half minute."""
    windows = build_windows(frames, annotations, manifest, detectors)
    end = windows.ints[:, W_END]
    ahead = forward_returns(frames, windows.ints[:, W_ASSET], end, end + 30_000)
    windows.floats[:, F_SIGNAL + at] = np.clip(np.where(np.isfinite(ahead), ahead, 0.0) / 20.0, -1.0, 1.0)
    return windows


def test_shipped_detectors_pass_and_the_planted_column_is_caught(
    scored: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []

    def counted(
        frames: FrameBatch, annotations: AnnotationBatch, manifest: Manifest, detectors: Sequence[DetectorSpec]
    ) -> WindowBatch:
        looked_at.append(len(frames))
        return build_windows(frames, annotations, manifest, detectors)

    monkeypatch.setattr(detector_audits, "build_windows", counted)
    result = run_stage(scored, detector_audits.STAGE, days[0])
    shuffled = leakage.is_shuffled(scored.manifest.score.seed, days[0])
    short = 1 + len(adversarial.DISTURBANCES)  # cut and disturbed; whole and shuffled are long
    assert len(looked_at) == 1 + shuffled + short
    assert sum(looked_at) <= (1 + shuffled) * BUDGET_FRAMES + short * SHORT_FRAMES
    assert result.notes["leakage_share_seen"] == (0.5 if shuffled else 0.25)
    checks = {c.name: c for c in result.checks}
    assert all(c.passed for c in checks.values()), checks
    assert checks["audits_awake"].numbers == {"looked": 3 + shuffled, "caught": 3 + shuffled}
    rows = scored.lake.read("detector_audits", scored.branch, days[0])
    assert set(rows["detector_id"]) == {*NAMES, leakage.PLANTED}
    assert (rows["value"][(rows["audit"] == "truncation") & (rows["detector_id"] != leakage.PLANTED)] == 0.0).all()
    taken = curator_inputs(rows)
    assert set(taken) == set(NAMES)
    assert not any(one.leakage_veto for one in taken.values())
    assert all(0.0 < one.adv_fragility < 1.0 for one in taken.values())
    assert result.table is not None
    assert len(result.table.rows) == len(NAMES) + 1
    again = run_stage(replace(scored, force=True), detector_audits.STAGE, days[0])
    assert again.content_hash == result.content_hash
    kept = read_commit(scored.sig, scored.branch, days[0], "detector_audits")
    assert kept is not None
    assert detector_audits.STAGE.present is not None
    assert detector_audits.STAGE.present(scored, days[0]) == kept.content_hash


def test_a_leak_is_told_vetoed_and_stands_on_the_card(
    scored: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detector_audits, "build_windows", leaking)
    result = run_stage(scored, detector_audits.STAGE, days[0])
    assert not result.failed_checks
    checks = {c.name: c for c in result.checks}
    assert not checks["leakage"].passed
    assert all(f"{NAMES[2]}: {audit}" in checks["leakage"].text for audit in ("truncation", "label_bleed"))
    assert not any(name in checks["leakage"].text for name in NAMES if name != NAMES[2])
    assert result.notes["vetoed"] == NAMES[2]
    taken = curator_inputs(scored.lake.read("detector_audits", scored.branch, days[0]))
    assert [name for name, one in taken.items() if one.leakage_veto] == [NAMES[2]]
    for stage in (signal_eval.STAGE, payoff_scores.STAGE, detector_cards.STAGE):
        run_stage(scored, stage, days[0])
    cards = scored.lake.read("detector_cards", scored.branch, days[0])
    failed = ["truncation | FAILED" in card for card in cards["card"].tolist()]
    assert failed == [name == NAMES[2] for name in NAMES]


def test_audits_that_sleep_block(scored: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leakage, "BLEED_BOUND", 1.0)
    result = run_stage(scored, detector_audits.STAGE, days[0])
    assert [c.name for c in result.failed_checks] == ["audits_awake"]
    looked = 3 + leakage.is_shuffled(scored.manifest.score.seed, days[0])
    assert result.failed_checks[0].numbers == {"looked": looked, "caught": looked - 1}
    assert read_commit(scored.sig, scored.branch, days[0], "detector_audits") is None
