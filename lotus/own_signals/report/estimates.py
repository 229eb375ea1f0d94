"""What the figures of a lesson estimate, in sentences with its own numbers; the mathematics is `lotus.learning.effect`.

Who planted an effect asks first why the report shows another number.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def estimated(lessons: Sequence[Mapping[str, Any]]) -> str:
    """Return why uplift, contrast, claim and bound of the first lesson differ, and none is what was planted."""
    x, detectors = lessons[0], [lesson["detector_id"] for lesson in lessons]
    return (
        f"How to take these sizes, by the lesson {x['rule']}: {_over_what(x)} An effect planted at thresholds of one's "
        "own shows smaller still: edges move from day to day, and windows between them and yours are mixed. "
        f"A search picks what looks largest: {x['claim_bps']:+.2f} is the uplift shrunk for that, and "
        f"{x['bound_bps']:+.2f} is what still holds after all the rules tried."
        + (" A later lesson of a detector is told over its earlier ones." if len(set(detectors)) < len(lessons) else "")
    )


def _over_what(x: Mapping[str, Any]) -> str:
    uplift = (
        "the uplift is over what the propensity already knew, an average that holds the rule itself "
        f"({x['support']['coverage']:.0%} of the weight)"
    )
    if not x["contrast_bps"] or not x["lanes"]:
        return f"{uplift}: {x['uplift_bps']:+.2f}."
    same_day = x["lanes"][0]["uplift_bps"]
    smaller = "" if x["uplift_bps"] == same_day else f" ({x['uplift_bps']:+.2f} in the other lane; the smaller is told)"
    return (
        f"inside less outside, {x['contrast_bps']:+.2f}, sets windows of the rule against others of like propensity on "
        f"the same day; {uplift}, so that {same_day / x['contrast_bps']:.0%} of it is left, {same_day:+.2f}{smaller}."
    )
