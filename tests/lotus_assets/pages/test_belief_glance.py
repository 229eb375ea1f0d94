"""Beliefs at a glance: a sentence for each, a picture small enough to be shown in place."""

import base64
import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).parents[2] / "lotus_weave"))
from boards import braid, lesson

from lotus_assets.pages.belief_glance import NEVER_MS, belief_documents, intervals

IN_PLACE = 1000  # characters of Markdown that Dagster shows without a click


def test_nothing_believed_is_nothing_told() -> None:
    assert belief_documents([], []) == {}


def test_the_picture_stands_first_and_each_belief_is_a_sentence() -> None:
    told = belief_documents([braid("x"), replace(braid("y"), expires_at_ms=NEVER_MS)], [lesson()])
    assert list(told) == ["believed", "in_force"]
    first, second = told["in_force"].splitlines()
    assert first.startswith("- **d** where ")
    assert "claims +10.00 bps (95 % of the uplift +8.00 to +12.00), grade B, in force from 2024-10-03 until" in first
    assert "permanently" in second


def test_the_picture_holds_zero_and_is_shown_in_place() -> None:
    two = [
        lesson(detector_id="sweep_stall_reversal"),
        lesson(detector_id="imbalance_persistence", sign=-1, uplift_bps=-3.0, ci95=(-5.0, -1.0)),
    ]
    text = intervals(two)
    assert len(text) < IN_PLACE
    found = re.fullmatch(r"!\[.*\]\(data:image/svg\+xml;base64,(.*)\)", text)
    assert found is not None
    drawn = ElementTree.fromstring(base64.b64decode(found[1]))
    words = [x.text for x in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert words == ["sweep_stall_reversal", "imbalance_persistence", "-5", "0", "14"]
    at = [int(x.get("cx", "0")) for x in drawn.iter("{http://www.w3.org/2000/svg}circle")]
    assert at[1] < int(re.findall(r"M(\d+) 0V", base64.b64decode(found[1]).decode())[0]) < at[0]
