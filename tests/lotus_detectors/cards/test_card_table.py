"""The table of cards over nights, and a version that begins anew."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from lotus.detectors.cards.card_facts import AuditResult
from lotus.detectors.cards.card_table import DETECTOR_CARDS, Columns, detector_cards, lives_of
from lotus.detectors.cards.lifecycle import LifecycleStage
from lotus.detectors.daily.history import EVENT_COLUMNS, digest_day, eval_columns
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.spec import DetectorSpec
from lotus.errors import SchemaError
from lotus.hashing import content_hash
from lotus_assets.stages.schema_check import schema_check

DETECTORS = shipped_detectors()
SEEN = AuditResult("no_look_ahead", True, "3 cuts")
EXPERTS = "e" * 32


def nights(chain, detectors: Sequence[DetectorSpec] = DETECTORS) -> list[Columns]:
    rows: list[Columns] = []
    for k in range(1, 14):
        before = rows[-1] if rows else None
        rows.append(detector_cards(chain.history[:k], chain.tables[:k], detectors, [SEEN], before, EXPERTS))
    return rows


def test_thirteen_nights_fill_the_table(chain) -> None:
    rows = nights(chain)
    for table in rows:
        assert schema_check(DETECTOR_CARDS, table).passed
        assert tuple(table) == DETECTOR_CARDS.names
    assert set(rows[0]["stage"]) == {"experimental"}
    assert np.isnan(rows[8]["sq_score"].astype(float)).all()
    assert np.isfinite(rows[12]["sq_score"].astype(float)).all()
    assert [content_hash(t) for t in nights(chain)] == [content_hash(t) for t in rows]
    for before, after in pairwise(rows):
        for one, two in zip(lives_of(before), lives_of(after), strict=True):
            assert two.changes[: len(one.changes)] == one.changes
    with pytest.raises(SchemaError):
        detector_cards(chain.history[:2], chain.tables[1:3], DETECTORS, [], None, EXPERTS)
    with pytest.raises(SchemaError):
        lives_of({**rows[0], "life": rows[0]["card"]})


def test_a_new_version_begins_without_the_days_of_the_old_one(chain) -> None:
    m, old = chain.manifest, chain.history[:12]
    newer = (replace(DETECTORS[0], version=DETECTORS[0].version + 1), *DETECTORS[1:])
    events = {name: chain.events[12][name] for name in EVENT_COLUMNS}
    outcomes = {name: np.asarray(chain.events[12]["s"]) for name in ("payoff_p", "payoff_y")}
    outcomes |= {f"fwd_ret_bps_{h}": outcomes["payoff_p"] for h in (30, 300, 3600)}
    outcomes |= {name: events[name] for name in ("detector_id", "asset", "window_end_ms")}
    outcomes["status"] = np.full(len(events["s"]), "ok", dtype=object)
    seen = {name: outcomes[name] for name in eval_columns(newer)}
    digest = digest_day(chain.history[12].day, events, seen, m, m.universe, newer)
    plain = digest_day(chain.history[12].day, events, seen, m, m.universe, DETECTORS)
    assert not (digest.detector == 0).any()
    assert (plain.detector == 0).any()
    assert np.array_equal(digest.key, plain.key)
    assert np.array_equal(digest.signal_key[digest.detector > 0], plain.signal_key[plain.detector > 0])
    before = nights(chain)[11]
    rows = detector_cards([*old, digest], chain.tables, newer, [], before, EXPERTS)
    versions = [(n, int(v)) for n, v in zip(rows["detector_id"], rows["spec_version"], strict=True)]
    assert versions == sorted([(d.detector_id, d.version) for d in (*DETECTORS, newer[0])])
    gone, fresh = (versions.index((d.detector_id, d.version)) for d in (DETECTORS[0], newer[0]))
    assert (rows["stage"][gone], rows["spec_id"][gone]) == (LifecycleStage.DEPRECATED, "")
    assert "no longer shipped" in rows["card"][gone]
    assert rows["stage"][fresh] == LifecycleStage.EXPERIMENTAL
    assert f"v{DETECTORS[0].version} deprecated" in rows["card"][fresh]
    assert rows["card"][fresh].count("| 2025-03-") == 2
