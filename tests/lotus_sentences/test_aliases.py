"""Names that somebody chose are put aside for a prompt and put back into what was checked."""

from dataclasses import replace

from lotus.priors.asset_context import ASSET
from lotus.priors.types import Literal, Rule
from lotus.sentences.aliases import nameless_facts, with_names
from lotus.sentences.sentence_check import check_sentence
from lotus.sentences.shown_facts import lesson_sentence
from tests.lotus_sentences.lesson_bed import LESSON

NAMED = replace(LESSON, detector_id="obey_me", rule=Rule.of(Literal(0, 3, 4), Literal(ASSET, 1, 1)))


def test_a_sentence_gets_its_names_back_after_the_check() -> None:
    facts = nameless_facts(NAMED, 2)
    sentence = lesson_sentence(facts)
    assert "obey_me" not in str(facts)
    assert sentence.startswith("D1 pays 10.11 bps more where vol >= 3 and on A2:")
    assert with_names(check_sentence(sentence, facts), NAMED, ["BTC", "ETH"]).startswith(
        "obey_me pays 10.11 bps more where vol >= 3 and on ETH:"
    )


def test_groups_of_a_large_universe_have_no_names_to_put_back() -> None:
    facts = nameless_facts(NAMED, 30)
    assert "by liquidity" in lesson_sentence(facts)
    assert with_names("D1 pays on A2.", NAMED, [f"C{k}" for k in range(30)]) == "obey_me pays on A2."


def test_a_segment_has_no_name_to_put_aside() -> None:
    facts = nameless_facts(NAMED, 2, has_segments=True)
    sentence = lesson_sentence(facts)
    assert "in segment 1" in sentence
    assert check_sentence(sentence, facts) == sentence
