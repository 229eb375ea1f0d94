"""Pages of the breeder's commands: what is said of a run and of a candidate."""

from typing import Any

from lotus_cli.breed.candidates import _page, _way
from lotus_cli.breed.command import _text

ROW: dict[str, Any] = {
    "candidate_id": "abcdef0123456789", "state": "refused", "check": "bar", "value": 3.1, "bound": 4.2,
    "reason": "T^2/2 = 3.10 is below ln N = 4.20", "expression": "flow - imbalance", "side": -1,
    "horizon_s": 300, "t": 2.49,
    "folds": [1.0, 1.2], "daily_bps": [10.0, 12.0], "depth": 2, "nodes": 3,
    "found_as": "(flow - imbalance) * 1",
    "found_nodes": 5, "operator": "grow", "parents": [], "spec": "detector_id: bred_abcdef012345\n",
    "night": "2026-01-20",
    "run": "r",
}  # fmt: skip
FACTS: dict[str, Any] = {
    "trials": 64, "scored_days": 13, "night": "2026-01-20", "cpu_s": 4.0, "seed": 7, "stopped_by": "trials",
    "charged_after_search": 12, "n_before": 0, "n_after": 76, "bar": 4.33, "reachable": 6.5, "entrants": 2,
    "candidates": [ROW],
}  # fmt: skip


def test_a_run_says_what_it_cost_and_what_was_refused() -> None:
    text = _text(FACTS)
    assert "N was 0, is 76; the bar is ln N = 4.33, and no more than 6.5 can be reached" in text
    assert "0 of 1 looked at may enter" in text
    assert "-(flow - imbalance)" in text
    assert "below ln N" in text
    assert "nothing can enter" in _text(FACTS | {"bar": 7.0})


def test_a_candidate_shows_the_way_to_it_and_the_attacks_on_it() -> None:
    steps = [
        {"parent_id": "found", "candidate_id": "abcdef0123456789", "kind": "ablation", "taken": True},
        {"parent_id": "found", "candidate_id": "other", "kind": "ablation", "taken": False},
        {"parent_id": "abcdef0123456789", "candidate_id": "late", "kind": "attack", "taken": False},
        {"parent_id": "elsewhere", "candidate_id": "x", "kind": "attack", "taken": False},
    ]
    way = [s | {"t_before": 2.5, "t_after": 2.0, "expression": "flow"} for s in _way(steps, "abcdef0123456789")]
    assert {s["candidate_id"] for s in way} == {"abcdef0123456789", "other", "late"}
    page = _page(ROW | {"trial": {"number": 12, "origin": "breed", "operator": "grow"}, "steps": way})
    assert "charged as number 12" in page
    assert "detector_id: bred_abcdef012345" in page
