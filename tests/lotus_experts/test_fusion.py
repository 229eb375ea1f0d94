"""The shipped set of experts, its version and its weights."""

import pytest

from lotus.errors import ConfigError
from lotus.experts.fusion import default_experts, read_fusion

from .specs import edited


def test_the_shipped_set_has_a_stable_version() -> None:
    experts = default_experts()
    assert experts.version == default_experts().version
    assert {e.kind for e in experts.experts} >= {"grammar", "anomaly", "divergence"}
    assert edited("anomaly").version != edited("anomaly", idea="another").version


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("experts: {a: {weight: -1, vote: 1}}", "numbers >= 0"),
        ("experts: {a: {weight: 1, vote: 1, status: lost}}", "active, off"),
        ("experts: {a: {weight: 1}}", "no key 'vote'"),
        ("experts: {a: {weight: 1, vote: 1}}\nevidence: [[0.5, 0.4], [0.4, 0.6]]", "do not rise"),
        ("experts: {a: {weight: 1, vote: 1}}\nevidence: [[0.5, 1.4]]", "a knot"),
        ("experts: {a: {weight: 1, vote: 1}}\nconfidence: {b: [[0.5, 0.4]]}", "confidence.b"),
    ],
    ids=lambda text: text[-20:],
)
def test_a_bad_fusion_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=r"fusion\.yaml") as caught:
        read_fusion(f"fusion_version: 1\nvotes_needed: 1\n{text}\n")
    assert words in str(caught.value)


def test_an_expert_that_is_off_has_no_weight() -> None:
    fusion = read_fusion("fusion_version: 1\nvotes_needed: 1\nexperts: {x: {weight: 1, vote: 1, status: off}}\n")
    assert fusion.voices["x"].status == "off"
