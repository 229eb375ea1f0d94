"""Signals of candidates are those of detectors, bit for bit; sums, T and folds."""

import numpy as np
import pytest

from lotus.coprocessor.genome import read, spec_text
from lotus.coprocessor.grammar import CandidateGrammar
from lotus.coprocessor.panel import panel_day, panel_of, window_table
from lotus.coprocessor.scoring import Score, correlation, run, scores_of, t_of
from lotus.coprocessor.variation import Variation
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.spec import parse_spec
from lotus.detectors.windows.builder import build_windows
from lotus.detectors.windows.row_spec import F_SIGNAL
from lotus.tape_machine.parser import parse
from lotus_store.facts.detectors import simulated_stretch
from tests.lotus_coprocessor.breeding_bed import small_panel


@pytest.mark.process("half an hour of the demo world, scored by two roads")
def test_candidates_say_bit_for_bit_what_their_files_say_as_detectors() -> None:
    stretch = simulated_stretch()
    shipped = shipped_detectors()
    table, ints, signals = window_table(stretch.frames, stretch.annotations, stretch.manifest, shipped)
    day = panel_day(table, ints, signals, np.ones((len(ints), 3)))
    panel = panel_of([day], (30, 300, 3600), stretch.manifest, [d.horizon_s for d in shipped])
    vary = Variation(CandidateGrammar.of(5_000), np.random.Generator(np.random.Philox(7)))
    genomes = [vary.grown() for _ in range(40)]
    specs = [parse_spec(spec_text(g, 1, f"bred_{k}", "test"), "bred") for k, g in enumerate(genomes)]
    found: list[np.ndarray] = []
    run([g.node for g in genomes], panel, lambda first, day, values: found.append(values))
    windows = build_windows(stretch.frames, stretch.annotations, stretch.manifest, specs)
    theirs = windows.floats[:, F_SIGNAL : F_SIGNAL + len(specs)]
    assert len(ints) > 500
    assert np.array_equal(windows.ints, ints)
    assert np.array_equal(np.concatenate(found, axis=1), theirs)
    assert np.count_nonzero(theirs.any(axis=0)) > 20


def test_sums_turn_to_where_they_pay_and_a_known_move_is_found() -> None:
    panel = small_panel()
    oracle = read(parse("sign(imb_10) * where(rank(imb_10, 5m) > 0.8 or rank(imb_10, 5m) < 0.2, 1, 0)"), 30, 5_000)
    turned = read(parse("-sign(imb_10) * where(rank(imb_10, 5m) > 0.8 or rank(imb_10, 5m) < 0.2, 1, 0)"), 30, 5_000)
    one, other = scores_of([oracle, turned], panel)
    assert one.daily == other.daily
    assert (one.side, other.side) == (1, -1)
    assert one.t > 2.5
    assert len(one.folds) == 5
    assert min(one.folds) <= one.median <= max(one.folds)


def test_a_candidate_is_scored_alike_in_any_company() -> None:
    panel = small_panel()
    vary = Variation(CandidateGrammar.of(5_000, panel.scales), np.random.Generator(np.random.Philox(9)))
    genomes = [vary.grown() for _ in range(40)]
    together = scores_of(genomes, panel)
    assert [scores_of([g], panel)[0] for g in genomes[30:]] == together[30:]


def test_t_and_correlation_of_what_does_not_move_are_0() -> None:
    assert t_of([]) == t_of([0.0, 0.0]) == correlation([1.0, 1.0], [1.0, 2.0]) == 0.0
    assert correlation([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]) == 1.0
    assert Score((0.0, 0.0), 1).mute
    assert not Score((0.0, 1.0), 1).mute


def test_z_is_the_total_over_its_deviation_by_overlap() -> None:
    """The definition, moment by moment, beside the running sums."""
    panel = small_panel()
    genome = read(parse("sign(imb_10)"), 300, 5_000)
    score = scores_of([genome], panel)[0]
    h, windows, total, square = panel.horizons_s.index(300), 60, 0.0, 0.0

    def add(first: int, day: int, values: np.ndarray) -> None:
        nonlocal total, square
        at = panel.days[day]
        gain: dict[int, float] = {}
        for end, place, g in zip(at.end_ms, panel.places[day], values[:, 0] * panel.left[day][:, h], strict=True):
            if place >= 0:
                gain[int(end) // 5_000] = gain.get(int(end) // 5_000, 0.0) + float(g)
        total += sum(gain.values())
        for t in range(min(gain), max(gain) + windows):
            square += sum(gain.get(t - k, 0.0) for k in range(windows)) ** 2 / windows

    run([genome.node], panel, add)
    assert score.z == pytest.approx(abs(total) / square**0.5, rel=1e-7)


def test_z_of_noise_has_the_size_of_a_normal_and_tells_a_pattern_from_it() -> None:
    """Where signals change slowly z is up to sqrt(3 / 2) too large; T cannot exceed the root of the number of days."""
    vary = Variation(CandidateGrammar.of(5_000, horizons_s=(30,)), np.random.Generator(np.random.Philox(4)))
    grown = [vary.grown() for _ in range(60)]
    found = [s.z for seed in range(1, 5) for s in scores_of(grown, small_panel("null", seed)) if not s.mute]
    assert 0.8 < float(np.sqrt(np.mean(np.square(found)))) < 1.5**0.5 * 1.15
    oracle = read(parse("sign(imb_10) * where(rank(imb_10, 5m) > 0.8 or rank(imb_10, 5m) < 0.2, 1, 0)"), 30, 5_000)
    one = scores_of([oracle], small_panel())[0]
    assert one.t <= 12**0.5 < one.z
