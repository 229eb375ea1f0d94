"""Cards: numbers against pandas and statsmodels, losers named as plainly as winners, a version's own days only."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lotus.detectors.cards.card import card_markdown, static_card, verdict_word
from lotus.detectors.cards.card_facts import AuditResult, CardFacts, Estimate, card_facts
from lotus.detectors.cards.lifecycle import Life, StageTransition
from lotus.detectors.daily.history import EVENT_COLUMNS, DayHistory, digest_day, eval_columns
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.quality import matured
from lotus.detectors.registry import shipped_detectors

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
    return card_facts(d, DETECTORS[d], days, chain.tables[: len(days)], [life], [SEEN], EXPERTS)


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
