"""What `lotus breed` says of a run."""

from typing import Any

from lotus_cli.breed.command import _text
from tests.lotus_cli.breed.bred_row import ROW

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
    llm = {"asked": 3, "proposed": 5, "refused": {"bounds": 1}, "failed": {"slow": 2}, "left_alone": True}
    words = "model: asked 3 times, 5 candidates; refused: bounds 1; no answer: slow 2; it was left alone after that"
    assert words in _text(FACTS | {"llm": llm})
    assert "nothing can enter" in _text(FACTS | {"bar": 7.0})
