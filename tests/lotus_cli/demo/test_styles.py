"""`lotus_cli/demo/styles.py`: what the page says of a style that pays by context, found or not."""

import runpy
from pathlib import Path
from typing import Any

from lotus_cli.demo.styles import style_page

FOUND: dict[str, Any] = {
    "name": "steep_rest",
    "rule": "depth_slope >= 3",
    "paid": {
        "inside": {"windows": 900, "join_bps": 2.9, "improve_bps": 0.1, "rested": 0.86},
        "outside": {"windows": 1_300, "join_bps": 0.2, "improve_bps": 0.0, "rested": 0.1},
    },
    "lessons": [
        {"day": "2026-01-14", "style": "join", "rule": "depth_slope >= 3", "sign": 1, "uplift_bps": 2.4,
         "ci95": [1.1, 3.7], "grade": "B", "moved": 170, "active": True}
    ],
    "refused": 2,
    "priors_ver": "0123456789abcdef",
    "plans": {"inside": {"join": 8}, "outside": {"cross": 21}, "chosen": 29, "agreed": 29},
    "compositions": [
        {"type": "candidate", "state": "running", "does": "sweep: cross, although a lesson of the trader says join"}
    ],
}  # fmt: skip
EMPTY = FOUND | {
    "lessons": [],
    "plans": {"inside": {}, "outside": {"cross": 21}, "chosen": 0, "agreed": 0},
    "compositions": [],
}


def test_a_style_that_was_found_is_told_with_its_truth_and_what_it_moved() -> None:
    text = style_page(FOUND)
    assert "joining the book pays +2.90 bps more than crossing there (900 windows, 86% rested), +0.20 elsewhere" in text
    assert "lessons of the trader about a style: 1 accepted, 2 refused:" in text
    assert "2026-01-14 join where depth_slope >= 3: +2.40 bps [+1.1, +3.7] over all windows, grade B, in force" in text
    assert "inside the rule 8 join; elsewhere 21 cross" in text
    assert (
        "version 0123456789ab of the nightly run and the daemon's choice of styles: the same (29 of 29 plans)" in text
    )
    assert "1 under judgement, 0 promoted\n    sweep: cross, although a lesson of the trader says join" in text


def test_a_style_that_was_not_found_and_a_choice_that_differs_are_told() -> None:
    text = style_page(EMPTY)
    assert "about a style: 0 accepted, 2 refused\n" in text
    assert "inside the rule none" in text
    assert "daemon's choice" not in text
    assert "0 under judgement, 0 promoted" in text
    differs = FOUND | {"plans": FOUND["plans"] | {"agreed": 28}}
    assert "choice of styles: DIFFERENT (28 of 29 plans)" in style_page(differs)


def test_the_campaign_asks_for_all_that_the_world_makes_true() -> None:
    missing = runpy.run_path(str(Path(__file__).with_name("styles_campaign.py")))["missing"]
    assert missing({"styles": FOUND, "parity": True}) == []
    assert missing({"styles": FOUND, "parity": False}) == ["events of daemon and batch are equal"]
    assert missing({"styles": EMPTY, "parity": True}) == [
        "a lesson about joining is in force",
        "plans inside the rule do not cross",
        "the daemon chose what the batch says",
        "a composition is under judgement",
    ]
    flat = FOUND | {"paid": FOUND["paid"] | {"outside": FOUND["paid"]["inside"]}}
    assert missing({"styles": flat, "parity": True}) == ["joining pays 2 bps more inside than outside"]
