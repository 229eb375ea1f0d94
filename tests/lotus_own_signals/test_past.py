"""Sums that are kept from night to night give the nights that windows would give, bit for bit."""

from dataclasses import replace

import numpy as np
from own_world import own_world, rows_of, table

from lotus.learning.axes import axes
from lotus.learning.night import learn_from, learn_night
from lotus.manifest import Manifest
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.past import Past
from lotus.own_signals.scores import scored
from lotus.priors.types import Literal, Rule


def test_nights_from_kept_sums_are_those_from_windows():
    world = own_world(seed=1, effect=6.0, days=14, n=200, detectors=2)
    late = (world["detector_id"] == "d1") & (world["ts"] < np.quantile(world["ts"], 0.3))
    found = scored(table(rows_of(world, ~late)), OwnConfig())  # d1 begins later
    base = Manifest()
    manifest = replace(base, learning=replace(base.learning, search_days=12, min_days=5, min_blocks=10))
    days = sorted(found.scores)
    pasts = {name: Past(name, found.scores.of(name), found.vocabulary) for name in ("d0", "d1")}
    rule = Rule.of(Literal(0, 3, 4))
    told = 0
    for n in range(2, len(days)):
        window = tuple(days[max(0, n - 11) : n + 1])
        active = [("d0", rule)] if n % 3 else []
        ready = {name: past for name, past in pasts.items() if past.move(window)}
        assert ("d1" in ready) == any((found.scores[d]["detector_id"] == "d1").any() for d in window)
        options = {"night": n + 20, "active": active, "vocabulary": found.vocabulary}
        one = learn_from(ready, window, manifest, **options)
        two = learn_night({d: found.scores[d] for d in window}, manifest, **options)
        assert (one.lessons, one.refused, one.audits, one.reports) == (
            two.lessons,
            two.refused,
            two.audits,
            two.reports,
        )
        np.testing.assert_array_equal(one.draw_maxima, two.draw_maxima)
        told += len(one.lessons) + len(one.refused)
    assert told > 5


def test_a_day_is_summed_once_until_the_baseline_changes(monkeypatch):
    found = scored(table(own_world(days=6, n=60)), OwnConfig())
    past, days, space = (
        Past("d0", found.scores.of("d0"), found.vocabulary),
        sorted(found.scores),
        axes(2, found.vocabulary),
    )
    made = []
    whole = past._rows
    monkeypatch.setattr(past, "_rows", lambda asked: made.append(tuple(asked)) or whole(asked))
    for n in (4, 5, 6):
        past.move(days[n - 3 : n])
        past.cubes((), space)
    assert made == [(d,) for d in days[1:6]]
    past.cubes((Rule.of(Literal(0, 0, 0)),), space)
    assert made[5:] == [(d,) for d in days[3:6]]


def test_without_room_the_sums_are_made_anew_and_are_the_same():
    found = scored(table(own_world(days=5, n=60)), OwnConfig())
    days, space = sorted(found.scores), axes(2, found.vocabulary)
    some = [Past("d0", found.scores.of("d0"), found.vocabulary, room) for room in (2**30, 1000)]
    for n in (3, 4):
        for past in some:
            past.move(days[n - 3 : n])
        for one, two in zip(*(past.cubes((), space) for past in some), strict=True):
            np.testing.assert_array_equal(one.r, two.r)
            np.testing.assert_array_equal(one.blocks, two.blocks)
    assert not some[1]._kept
