"""A detector's text as a candidate: the same signal, its names in place, or refused with what the search has not."""

import pytest

from lotus.coprocessor.genome import read
from lotus.coprocessor.model.brought import genome_of
from lotus.coprocessor.model.prompt_text import EXAMPLE
from lotus.detectors.spec import parse_spec
from lotus.errors import ConfigError
from lotus.tape_machine.parser import parse

STEP_MS = 5_000


def test_names_are_put_in_place() -> None:
    found = genome_of(parse_spec(EXAMPLE, "example"), STEP_MS)
    by_hand = read(parse("where(spread < 2bps, clip(mean(imbalance, 1m) / 0.6, -1, 1), 0)"), 30, STEP_MS)
    assert (found.canonical, found.sign) == (by_hand.canonical, by_hand.sign)
    turned = EXAMPLE.replace("full: 0.6", "full: -0.6").replace("windows:", "windows:\n  more: mean(flow, 1m)")
    turned = turned.replace("lean: mean(imbalance, 1m)", "lean: mean(imbalance, 1m) + more")
    assert genome_of(parse_spec(turned, "turned"), STEP_MS).canonical != found.canonical


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (EXAMPLE.replace("windows:", "frames:\n  f: imb_5\nwindows:").replace("imbalance", "f"), "over frames"),
        (EXAMPLE + "require: mx_confirm\n", "a requirement"),
        (EXAMPLE.replace("1m", "90m"), "warm-up"),
        (EXAMPLE.replace("-1, 1)", "-0.9, 0.8)").replace("2bps", "max(2bps, 3bps)"), "free constants"),
    ],
)
def test_what_is_not_searched_is_refused(changed: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        genome_of(parse_spec(changed, "x"), STEP_MS)
