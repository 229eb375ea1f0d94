"""Nightly slots: the budget, the order of crossing, ties, and the false-alarm rate of a year of looks."""

import itertools

import numpy as np

from lotus.learning.slots import SlotState, allowance, nightly_look


def test_a_year_spends_sixteen_slots_one_after_the_other():
    spent = [allowance(n, 400, 0.04) for n in range(1, 400)]
    assert spent[8] == 0
    assert max(spent) == 16
    assert all(0 <= b - a <= 1 for a, b in itertools.pairwise(spent))


def test_without_a_slot_nothing_is_promoted():
    look = nightly_look(SlotState(), 9, 99.0, np.zeros(400), 0.04)
    assert (look.slots, look.critical, look.state) == (0, np.inf, SlotState())


def test_the_highest_paths_cross_and_stay_crossed():
    maxima = np.arange(400.0)
    first = nightly_look(SlotState(), 11, 5.0, maxima, 0.04)
    assert (first.slots, first.critical, first.state.crossed) == (1, 399.0, (400,))
    second = nightly_look(first.state, 16, 1000.0, maxima, 0.04)
    assert second.slots == 1
    assert second.critical == 398.0
    assert second.state.crossed == (400, 0)
    third = nightly_look(second.state, 22, 1000.0, maxima, 0.04)
    assert third.critical == 398.0
    assert third.state.crossed == (400, 0, 399)


def test_ties_count_against_the_real_path():
    maxima = np.zeros(400)
    maxima[7] = 5.0
    look = nightly_look(SlotState(), 11, 5.0, maxima, 0.04)
    assert look.critical == 5.0
    assert look.state.crossed == (8,)


def test_a_year_of_null_nights_is_rarely_crossed():
    rng = np.random.default_rng(4)
    hits, years = 0, 300
    for _ in range(years):
        level = rng.normal(size=401)
        state = SlotState()
        for night in range(1, 366):
            level = 0.97 * level + np.sqrt(1 - 0.97**2) * rng.normal(size=401)
            look = nightly_look(state, night, level[0], level[1:], 0.04)
            if level[0] > look.critical:
                hits += 1
                break
            state = look.state
    assert hits <= 22  # 4 % of 300 is 12; beyond 22 has probability 0.3 %


def test_a_new_budget_year_begins_with_nothing_spent_and_nobody_crossed():
    maxima = np.arange(400.0)
    full = SlotState(16, tuple(range(385, 401)))
    assert nightly_look(full, 365, 1000.0, maxima, 0.04).slots == 0
    begun = nightly_look(full, 366, 1000.0, maxima, 0.04)
    assert (begun.slots, begun.state) == (0, SlotState(year=1))
    assert nightly_look(begun.state, 365 + 11, 1000.0, maxima, 0.04).state == SlotState(1, (0,), 1)


def test_crossings_are_told_in_their_order_with_what_they_crossed_with():
    look = nightly_look(SlotState(1, (400,)), 30, 398.5, np.arange(400.0), 0.04)
    assert look.slots == 2
    assert [(x.order, x.path, x.m_nats) for x in look.crossings] == [(2, 0, 398.5), (3, 399, 398.0)]
    assert look.state.crossed == (400, 0, 399)
