"""Why the sizes of a lesson differ, with its own numbers."""

from few_readings import WORDS, readings

from lotus.own_signals.report.estimates import estimated
from lotus.own_signals.report.reading_words import literal_words
from lotus.priors.types import Rule


def told(detector, *literals, shift=0.0):
    return [literal_words(x) for x in readings(shift).rule(detector, Rule(tuple(literals)), WORDS)]


def test_why_the_sizes_differ_is_told_with_the_lesson_s_own_numbers():
    lesson = {
        "detector_id": "d", "rule": "x_a = 4",
        "uplift_bps": -4.0, "contrast_bps": -5.0, "claim_bps": -3.4, "bound_bps": -1.5,
        "support": {"coverage": 0.2}, "lanes": [{"uplift_bps": -4.25}, {"uplift_bps": -4.0}],
    }  # fmt: skip
    text = estimated([lesson])
    told = ("inside less outside, -5.00", "20% of the weight", "85% of it is left, -4.25", "-4.00 in the other lane")
    for part in (*told, "-3.40 is the uplift shrunk", "-1.50 is what still holds"):
        assert part in text
    assert "inside less outside" not in estimated([{**lesson, "contrast_bps": 0.0}])
    assert "told over its earlier ones" not in text
    assert "told over its earlier ones" in estimated([lesson, lesson])
