"""The commands that measure monitors and compositions, at sizes of seconds."""

import json
from dataclasses import replace

import pytest

from benchmarks.lessons import meta, meta_nights, monitor
from lotus.manifest import LearningDefaults


def test_the_monitor_keeps_what_lives_and_is_quicker_than_an_e_process_since_activation() -> None:
    seeds = range(500, 520)
    kept = monitor.false_reverts(seeds, 3.0, 1.0, 60)
    assert kept["delayed_e"] == 0.0
    found = monitor.delays(seeds, 3.0, 40, 60)
    assert found["delayed_e"]["median"] <= 14
    assert found["delayed_e"]["median"] < found["since_activation"]["median"]


def test_the_rolling_t_reverts_lessons_at_the_bound_which_is_why_it_is_a_light() -> None:
    at_bound = monitor.false_reverts(range(500, 520), 6.0, monitor.RHO, 60)
    assert at_bound["delayed_e"] <= 0.15
    assert at_bound["rolling_t"] >= 0.3


def test_a_true_conjunction_is_found_and_nothing_is_rarely() -> None:
    settings = LearningDefaults(draws=100)
    found = [meta.promoted("conjunction", seed, 12, 6.0, settings) for seed in range(6)]
    false = [meta.promoted("nothing", seed, 12, 6.0, settings) for seed in range(20)]
    assert sum(found) >= 4
    assert sum(false) <= 4


def test_under_nightly_slots_a_composition_spends_them_and_only_a_true_one_is_found() -> None:
    small = {name: study.small for name, study in meta_nights.STUDIES.items()}
    found = [meta_nights.life(small["meta-conjunction"], seed) for seed in range(500, 508)]
    assert sum(x["found"] for x in found) >= 5
    assert all(x["crossed"] >= x["found"] and x["days"] >= 10 * x["found"] for x in found)
    false = [meta_nights.life(small["meta-nothing"], seed)["false"] for seed in range(500, 515)]
    assert sum(false) <= 2
    blind = replace(small["meta-conjunction"], learning=LearningDefaults(draws=20))
    assert meta_nights.life(blind, 500)["found"] == 0, "with so few draws no night has a slot"


def test_the_commands_print_one_json_object(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, words in ((monitor, ["--seeds", "2"]), (meta, ["--seeds", "1", "--days", "11"])):
        monkeypatch.setattr("sys.argv", ["x", *words, "--json"])
        module.main()
        told = json.loads(capsys.readouterr().out)
        assert told["seeds"] == int(words[1])
