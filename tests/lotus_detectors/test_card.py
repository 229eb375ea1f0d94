"""Cards: numbers against pandas and statsmodels, losers named as plainly as winners, a version's own days only."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from lotus.detectors.card import card_markdown, static_card, verdict_word
from lotus.detectors.card_facts import AuditResult, CardFacts, Estimate, card_facts, contexts, estimate
from lotus.detectors.card_table import DETECTOR_CARDS, Columns, detector_cards, lives_of
from lotus.detectors.daily import day_tables
from lotus.detectors.daily_quality import matured
from lotus.detectors.history import EVENT_COLUMNS, DayHistory, digest_day, eval_columns
from lotus.detectors.lifecycle import Life, LifecycleStage, StageTransition
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.spec import DetectorSpec
from lotus.errors import SchemaError
from lotus.hashing import content_hash
from lotus.priors.vocabulary import FEATURE_NAMES
from lotus_assets.stages.schema_check import schema_check

DETECTORS = shipped_detectors()
SEEN = AuditResult("no_look_ahead", True, "3 cuts")
EXPERTS = "e" * 32


def facts_of(chain, d: int, history: Sequence[DayHistory] | None = None) -> CardFacts:
    days = chain.history if history is None else history
    life = Life(
        DETECTORS[d].detector_id,
        DETECTORS[d].version,
        (StageTransition(days[0].day, "", "experimental", "first seen"),),
    )
    return card_facts(d, DETECTORS[d], 4, days, chain.tables[: len(days)], [life], [SEEN], EXPERTS)


def nights(chain, detectors: Sequence[DetectorSpec] = DETECTORS) -> list[Columns]:
    rows: list[Columns] = []
    for k in range(1, 14):
        before = rows[-1] if rows else None
        rows.append(detector_cards(chain.history[:k], chain.tables[:k], detectors, [SEEN], before, EXPERTS))
    return rows


def test_an_interval_is_that_of_statsmodels_clustered_by_day() -> None:
    rng = np.random.default_rng(4)
    day = np.sort(rng.integers(0, 15, 900))
    x = rng.normal(1.0, 3.0, 900) + rng.normal(0.0, 1.0, 15)[day]
    fit = sm.OLS(x, np.ones(900)).fit(
        cov_type="cluster", cov_kwds={"groups": day, "use_correction": False, "df_correction": True}, use_t=True
    )
    found = estimate(x, day)
    low, high = fit.params[0] + np.sqrt(15 / 14) * (fit.conf_int(0.05)[0] - fit.params[0])
    assert (found.mean, found.low, found.high) == pytest.approx((x.mean(), low, high), rel=1e-9)
    assert (found.windows, found.days) == (900, 15)
    assert estimate(x[:0], day[:0]) is None
    one = estimate(x[:5], np.zeros(5, np.int64))
    assert (one.low, one.high, one.days) == (None, None, 1)


def test_numbers_of_a_card_are_those_of_the_tables(chain) -> None:
    events = pd.concat([pd.DataFrame(dict(e)).assign(day=k) for k, e in enumerate(chain.events)])
    for d, spec in enumerate(DETECTORS):
        facts = facts_of(chain, d)
        assert f"by the micro-experts {EXPERTS}." in card_markdown(facts)
        mine = events[(events.detector_id == spec.detector_id) & (events.s != 0.0)]
        assert (facts.signals, facts.eligible) == (len(mine), int((mine.veto == 0).sum()))
        assert facts.published == int(mine.published.sum())
        assert facts.vetoes["kairos"] == int((mine.veto & 4 != 0).sum())
        m = matured(chain.history, d)
        assert facts.published_p.windows == facts.published == int(m.published.sum())
        assert facts.published_p.mean == pytest.approx(m.payoff[m.published].mean())
        assert facts.published_y.mean == pytest.approx(facts.published_p.mean - 0.5)
        assert facts.all_p.windows == len(m.payoff)
        assert (facts.due, facts.dropped) == (sum(len(w) for w in chain.windows), 0)
        assert [q.day for q in facts.quality] == [t.day for t in chain.tables]
        bins = np.concatenate([h.bins[h.detector == d] for h in chain.history])
        assert len(bins) == facts.signals


def test_contexts_are_means_inside_bins_worst_first(chain) -> None:
    m = matured(chain.history, 0)
    found = contexts(m)
    means = [c.payoff.mean for c in found]
    assert means == sorted(means)
    assert all(c.payoff.windows >= 30 for c in found)
    at = {c.label: c.payoff for c in found}
    spread = FEATURE_NAMES.index("spread")
    for b in range(5):
        rows = m.bins[:, spread] == b
        assert at[f"spread = {b}"].mean == pytest.approx(m.payoff[rows].mean())


def test_a_loser_is_named_in_the_words_a_winner_gets(chain) -> None:
    facts = facts_of(chain, 0)
    said = {}
    for word, mean in (("loses", -5.0), ("earns", 5.0), ("is undecided", 0.1)):
        net = Estimate(mean, mean - 1.0, mean + 1.0, 700, 12)
        text = card_markdown(replace(facts, published_p=net))
        said[word] = text.splitlines()[2]
        assert verdict_word(net) == word
        assert f"**{word}**" in said[word]
        assert f"{mean:+.2f} bps" in said[word]
    shapes = {re.sub(r"[-+]?\d+\.\d+|\*\*.*\*\*", "#", line) for line in said.values()}
    assert len(shapes) == 1
    for net in (None, Estimate(-5.0, None, None, 3, 1)):
        assert "**cannot be judged**" in card_markdown(replace(facts, published_p=net)).splitlines()[2]


def test_a_card_says_everything_it_knows(chain) -> None:
    facts = replace(
        facts_of(chain, 0), dropped=50, audits=(SEEN, AuditResult("leakage", False, "a planted column | passed"))
    )
    text = card_markdown(facts)
    for heading in ("Specification", "Lineage and life", "Publications and net payoff", "Quality in force",
                    "Kernel terms of the day", "Audits", "Failure modes"):  # fmt: skip
        assert f"\n## {heading}\n" in text
    for said in (facts.spec_id, "first seen", "siblings", "FAILED", "a planted column \\| passed", "no_look_ahead",
                 "Lost to gaps: ", "d*flow = ", "kr_novelty", chain.tables[-1].day, "kairos"):  # fmt: skip
        assert said in text, said
    worst = facts.contexts[0]
    assert text.index(f"| {worst.label} | {worst.payoff.mean:+.2f} |") < text.index(f"| {facts.contexts[-1].label} |")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)
    for spec in DETECTORS:
        assert spec.spec_id in static_card(spec)
        assert "No day is committed" in static_card(spec)


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


def test_tables_of_a_new_version_are_neutral(chain) -> None:
    m = chain.manifest
    newer = (replace(DETECTORS[0], version=DETECTORS[0].version + 1), *DETECTORS[1:])
    seen = [name for name in eval_columns(DETECTORS) if name not in EVENT_COLUMNS]
    history = []
    for k, events in enumerate(chain.events):
        part = {name: events[name] for name in EVENT_COLUMNS}
        outcomes = {name: np.asarray(events["s"]) for name in seen} | {n: events[n] for n in EVENT_COLUMNS}
        outcomes["status"] = np.full(len(events["s"]), "ok", dtype=object)
        history.append(digest_day(chain.history[k].day, part, outcomes, m, m.universe, newer))
    tables = day_tables("2026-01-01", history, m, m.universe, newer)
    assert {"sq_score", "kr_coherence", "theta0"} <= set(tables.neutral[0])
    assert all("sq_score" not in flags for flags in tables.neutral[1:])
    assert tables.edges == day_tables("2026-01-01", chain.history, m, m.universe, DETECTORS).edges
