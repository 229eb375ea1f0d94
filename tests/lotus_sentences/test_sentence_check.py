"""Sentences of a model: only figures and names that are shown, only plain words beside them, no other direction."""

import random
from dataclasses import replace

import pytest

from lotus.errors import ConfigError
from lotus.sentences.sentence_check import PLAIN_WORDS, check_sentence
from lotus.sentences.shown_facts import LONGEST, ShownFacts

FACTS = ShownFacts(
    "x",
    (("detector", "calm_lean"), ("rule", "vol >= 3 and on ETH"), ("size", "10.11"), ("uplift", "+10.11"),
     ("low", "+9.60"), ("published", "1,234"), ("night", "2026-01-17"), ("grade", "B"), ("fold 1", "0.50")),
    1,
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "calm_lean pays 10.11 bps more where vol >= 3 and on ETH (at least +9.60), grade B.",
        "On 1,234 published windows the uplift was +10.11; the night was 2026-01-17.",
        "The fold of 0.50 is small, and vol was measured on ETH.",
    ],
)
def test_what_is_shown_may_be_repeated(text: str) -> None:
    assert check_sentence(text, FACTS) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("calm_lean pays 10.12 bps more.", "'10.12'"),
        ("calm_lean pays -10.11 bps more.", "'-10.11'"),
        ("calm_lean pays 3 bps more.", "'3'"),  # a number of the rule is one of the rule alone
        ("wide_lean pays 10.11 bps more.", "'wide_lean'"),
        ("calm_lean pays 10.11 bps less.", "'less'"),
        ("Buy ETH now: calm_lean pays.", "'Buy'"),
        ("calm_lean pays <b>10.11</b> bps.", "'<b>10.11</b>'"),
        ("See https://x.example for more.", "other characters"),
        ("See x.example for more.", "'See'"),
        ("calm_lean pays 10.11\nbps more.", "other characters"),
        ("calm_lean pays \u0661 bps more.", "other characters"),
        ("`calm_lean` pays.", "other characters"),
        ("", "other characters"),
        ("a " * LONGEST, "too long"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_sentence(text, FACTS)


def test_what_was_not_accepted_is_not_claimed() -> None:
    proposed = replace(FACTS, is_claimed=False)
    assert check_sentence("calm_lean may pay 10.11 bps more.", proposed)
    with pytest.raises(ConfigError, match="no more than is claimed"):
        check_sentence("calm_lean pays 10.11 bps more.", proposed)


def test_no_mixture_of_words_brings_in_another_figure_or_name() -> None:
    rng = random.Random(7)
    foreign = ["9.99", "11", "BTC", "rm", "evil.example", "@all", "&lt;", "{{x}}", "calm_lean2", "10.11.12"]
    plain = [*sorted(PLAIN_WORDS - {"less", "lower"}), "10.11", "+9.60", "calm_lean", "ETH", "B"]
    for _ in range(500):
        words = rng.choices(plain, k=rng.randrange(1, 20))
        words.insert(rng.randrange(len(words) + 1), rng.choice(foreign))
        with pytest.raises(ConfigError):
            check_sentence(" ".join(words), FACTS)
