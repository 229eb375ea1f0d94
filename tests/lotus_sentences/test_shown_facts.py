"""Facts as they are shown: the template's sentence passes the check that a model's has to pass."""

from dataclasses import replace
from typing import Any

import pytest

from lotus.coprocessor.model.port import ModelReply
from lotus.coprocessor.model.sentence_prompt import ReadSentence, read_sentences, sentence_messages
from lotus.errors import ConfigError
from lotus.priors.vocabulary import DEFAULT
from lotus.sentences.sentence_check import check_sentence
from lotus.sentences.shown_facts import facts_of_candidate, facts_of_lesson, lesson_sentence
from tests.lotus_sentences.lesson_bed import LESSON


@pytest.mark.parametrize("uplift", [10.114, -10.114])
def test_the_template_says_what_is_shown_and_nothing_else(uplift: float) -> None:
    facts = facts_of_lesson(replace(LESSON, uplift_bps=uplift), DEFAULT)
    sentence = lesson_sentence(facts)
    assert check_sentence(sentence, facts) == sentence
    assert f"pays 10.11 bps {'more' if uplift > 0 else 'less'} where" in sentence
    assert "among 73,563 rules; grade B, accepted, 1,234 published windows on 13 days" in sentence


@pytest.mark.parametrize(("state", "verb"), [("MODEL_ONLY", "may pay"), ("REFUSED", "was not shown to pay")])
def test_only_what_was_accepted_is_said_to_pay(state: Any, verb: str) -> None:
    facts = facts_of_lesson(replace(LESSON, state=state, grade="C"), DEFAULT)
    sentence = lesson_sentence(facts)
    assert check_sentence(sentence, facts) == sentence
    assert f"sweep_stall_reversal {verb} 10.11 bps more" in sentence


def test_other_facts_have_another_hash() -> None:
    facts = facts_of_lesson(LESSON, DEFAULT)
    assert facts.facts_hash == facts_of_lesson(LESSON, DEFAULT).facts_hash
    assert facts.facts_hash != facts_of_lesson(replace(LESSON, uplift_bps=10.2), DEFAULT).facts_hash
    assert facts.facts_hash == facts_of_lesson(replace(LESSON, uplift_bps=10.1141), DEFAULT).facts_hash  # shown alike


def test_a_reply_has_one_text_a_subject_each_checked_by_itself() -> None:
    row = {"candidate_id": "c" * 20, "state": "refused", "check_name": "bar", "value": 3.2, "bound": 6.3,
           "body": {"expression": "mean(imb_5, 1m)", "horizon_s": 30, "t": 2.53, "folds": [1.0, 0.2], "nodes": 3,
                    "depth": 2}}  # fmt: skip
    facts = [facts_of_candidate(row), facts_of_lesson(LESSON, DEFAULT)]
    system, user = sentence_messages(facts, "subject")
    assert "signal = mean(imb_5, 1m)" in user.text
    assert "no other number" in system.text
    reply = ModelReply('{"sentences": ["T is 2.53, and 6.30 were needed.", "It pays 99 bps more."]}', "m")
    good, wrong = read_sentences(reply, facts)
    assert good == ReadSentence("T is 2.53, and 6.30 were needed.")
    assert not wrong.text
    assert "'99'" in wrong.refusal
    for content in ("{", "[]", '{"sentences": ["a"]}', '{"sentences": ["a", 1]}', '{"sentences": ["a", "b"], "x": 1}'):
        with pytest.raises(ConfigError):
            read_sentences(ModelReply(content, "m"), facts)
    with pytest.raises(ConfigError, match="tools"):
        read_sentences(ModelReply(reply.content, "m", tool_calls=True), facts)
