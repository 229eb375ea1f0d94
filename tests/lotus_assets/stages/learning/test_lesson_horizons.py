"""Horizon records of lessons: joined by event, only published windows inside the rule, every evaluated horizon."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lotus.learning.payoff_scores import PAYOFF_SCORES
from lotus.manifest import Manifest
from lotus.outcomes.signal_eval import horizon_columns
from lotus.priors.types import Literal, Rule
from lotus_assets.stages.learning import lesson_horizons
from lotus_store.ledger.day_commits import DayCommit

HORIZONS = Manifest().outcomes.horizons_s
DAY = "2025-01-06"


def test_each_horizon_of_a_lesson_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, n = np.random.default_rng(0), 40
    ids = np.array([f"{k:032x}" for k in rng.permutation(n)], dtype=object)
    scores: dict[str, Any] = {c.name: np.zeros(n, PAYOFF_SCORES.numpy_dtype(c.name)) for c in PAYOFF_SCORES.columns}
    scores |= {"event_id": ids, "detector_id": np.full(n, "d", object), "asset": np.full(n, "USD₮0", object)}
    scores |= {"published": rng.random(n) < 0.6, "b_vol": rng.integers(0, 5, n).astype(np.uint8)}
    scores["window_end_ms"] = 5_000 * np.arange(n)
    mixed = rng.permutation(n)
    outcomes = {c.name: rng.random(n) for h in HORIZONS for c in horizon_columns(h)} | {"event_id": ids[mixed]}
    events = {"event_id": ids[::-1], "s": np.linspace(-1.0, 1.0, n)}
    lake = SimpleNamespace(read=lambda name, *_, columns=None: {c: outcomes[c] for c in columns})
    ctx: Any = SimpleNamespace(lake=lake, branch="main", manifest=Manifest())
    monkeypatch.setattr(lesson_horizons, "scores_in_context", lambda *_: scores)
    monkeypatch.setattr(lesson_horizons, "read_events", lambda *_: events)
    lesson: Any = SimpleNamespace(lesson_id="x", detector_id="d", rule=Rule.of(Literal(0, 3, 4)))
    commit = DayCommit("main", DAY, "payoff_scores", "h", n, "i")
    found = lesson_horizons.lesson_horizons(ctx, [commit], [lesson])["x"]
    inside = scores["published"] & (scores["b_vol"] >= 3)
    assert [(x.horizon_s, x.windows) for x in found] == [(h, inside.sum()) for h in HORIZONS]
    where = {event: k for k, event in enumerate(ids[mixed])}
    rows = [where[e] for e in ids[inside]]
    for stats in found:
        assert stats.net_bps == pytest.approx(outcomes[f"payoff_p_{stats.horizon_s}"][rows].mean(), rel=1e-8)
    p = (1 + np.abs(events["s"][::-1][inside])) / 2
    assert found[0].brier == pytest.approx(((p - outcomes[f"hit_{HORIZONS[0]}"][rows]) ** 2).mean(), rel=1e-5)
    assert lesson_horizons.lesson_horizons(ctx, [commit], []) == {}
