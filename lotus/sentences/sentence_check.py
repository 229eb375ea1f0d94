"""A model's sentence checked word by word: each is a number or a name as shown, or one of a closed list of plain words.

So a sentence can hold no other figure, no other name, no address, no markup and no order to whoever reads it.
In the literature: faithful generation by recognition of the whole output.
"""

import re
from typing import Final

from lotus.errors import ConfigError
from lotus.sentences.shown_facts import LONGEST, ShownFacts

UP: Final = frozenset({"above", "adds", "better", "gains", "higher", "more", "stronger"})
DOWN: Final = frozenset({"below", "costs", "fewer", "less", "loses", "lower", "weaker", "worse"})
CLAIMS: Final = frozenset({"pays", "paid", "gains", "loses", "costs", "holds"})  # of what is accepted alone
_OTHERS: Final = """
    a accepted after against all also among an and are as at average averages be because been before behind
    between beyond both bound bps but by came can candidate check clear clearly column columns come comes coming
    confidence context day days depth detector difference does each effect effects enough evidence expected
    fails far few fold folds followed for found from grade had half has have held holds horizon however in
    inside interval is it its itself known large larger largest last least lesson level long many may mean means
    measured median might most moved moves much names nats near nearly need needed net night nightly no nodes
    none not number of on once one only or other out outside over paid pay pays per percent positive proposed
    published range reached reaches refused remains rest rests rule rules run runs same sample score screened
    seconds seen short shown shows sign signal simple since size small so state still such support supports than that
    the their them then there these they this those though times to tried two under unit up uplift upper used
    value verdict very was weak well were window what when where which while windows with within without zero
"""
PLAIN_WORDS: Final = UP | DOWN | frozenset(_OTHERS.split())
_SHAPE: Final = re.compile(rf"[A-Za-z0-9 .,;:()\[\]+%<>=!*/_'-]{{1,{LONGEST}}}")
_OPENING, _CLOSING = "([", ".,;:)]%"


def check_sentence(text: str, facts: ShownFacts) -> str:
    """Return the sentence as it may be shown; raises `ConfigError` for the first thing in it that may not.

    >>> facts = ShownFacts("x", (("detector", "calm_lean"), ("uplift", "+1.50"), ("size", "1.50")), 1)
    >>> check_sentence("Over 9 days calm_lean pays 1.50 bps more.", facts)
    Traceback (most recent call last):
    ...
    lotus.errors.ConfigError: '9' in a sentence; expected: a number or name as shown, or a plain word
    """
    if type(text) is not str or not _SHAPE.fullmatch(text) or "//" in text:
        raise ConfigError("a sentence with other characters, or too long", f"plain ASCII, 1 to {LONGEST} characters")
    phrases = sorted((value for _, value in facts.values if " " in value), key=len, reverse=True)
    rest = text
    for phrase in phrases:  # numbers inside of a rule are only part of the whole rule
        rest = rest.replace(phrase, " ")
    shown = {value for _, value in facts.values if " " not in value}
    shown |= {word for name, value in facts.values for word in _words(f"{name} {value}") if word[:1].isalpha()}
    for word in _words(rest):
        if word not in shown and word.lower() not in PLAIN_WORDS:
            raise ConfigError(f"{word[:60]!r} in a sentence", "a number or name as shown, or a plain word")
    wrong = CLAIMS if not facts.is_claimed else frozenset[str]()
    wrong |= DOWN if facts.direction > 0 else UP if facts.direction < 0 else frozenset[str]()
    if turned := sorted(wrong & {word.lower() for word in _words(text)}):
        raise ConfigError(f"{turned[0]!r} in a sentence", "the direction of the effect, and no more than is claimed")
    return " ".join(text.split())


def _words(text: str) -> list[str]:
    words = (word.lstrip(_OPENING).rstrip(_CLOSING) for word in text.replace("(", " ( ").replace(")", " ) ").split())
    return [word for word in words if word]
