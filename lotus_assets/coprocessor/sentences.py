"""Sentences of a model on lessons, and its opinions on candidates: asked once, checked, stored for people to read."""

from collections.abc import Sequence
from typing import Any

from lotus.coprocessor.model.sentence_prompt import MOST_SENTENCES, read_sentences, sentence_messages
from lotus.errors import ConfigError
from lotus.priors.asset_context import words_of
from lotus.sentences.shown_facts import ShownFacts, facts_of_candidate, facts_of_lesson
from lotus_assets.coprocessor.asking import port_of
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.lessons import read_lessons
from lotus_store.ledger.texts import MODEL, LessonText, attach, put_lesson_texts, texts_of

Facts = dict[str, Any]


def lesson_words(settings: Settings, night: str = "") -> Facts:
    """Ask the model for a sentence of each lesson of a night that has none of its own, the newest night otherwise.

    At most `MOST_SENTENCES` at once; what a sentence was refused for is returned. Raises `ConfigError` when the model
    is off or gives no reply of the form.
    """
    with Databases(settings) as databases, databases.connect("sig", autocommit=True) as sig:
        kept = [x for x in read_lessons(sig, settings.branch, night or None) if x.state != "REFUSED"]
        newest = max((x.night for x in kept), default="")
        words = words_of(settings.manifest.universe)
        facts = [facts_of_lesson(x, words) for x in kept if x.night == newest]
        held = texts_of(sig, settings.branch, facts)
        asked = [x for x in facts if x.subject not in held or held[x.subject].author != MODEL][:MOST_SENTENCES]
        rows, model, verdict = _asked(settings, databases, asked, "lesson")
        put_lesson_texts(sig, settings.branch, [
            LessonText(x.subject, x.facts_hash, MODEL, model, text) for x, (text, _) in zip(asked, rows, strict=True)
            if text
        ])  # fmt: skip
    found = [
        {"lesson_id": x.subject, "text": text, "refused": refusal}
        for x, (text, refusal) in zip(asked, rows, strict=True)
    ]
    return {"night": newest, "lessons": len(facts), "model": model, "verdict": verdict, "sentences": found}


def candidate_opinion(settings: Settings, candidate: Facts) -> Facts:
    """Ask the model for an opinion on a candidate (a row of the ledger) and attach it; raises as `lesson_words`."""
    facts = [facts_of_candidate(candidate)]
    with Databases(settings) as databases, databases.connect("sig", autocommit=True) as sig:
        ((text, refusal),), model, verdict = _asked(settings, databases, facts, "candidate")
        name = attach(sig, settings.branch, candidate["candidate_id"], MODEL, model, text) if text else ""
    return {"attachment_id": name, "author": model, "text": text, "refused": refusal, "verdict": verdict}


def _asked(
    settings: Settings, databases: Databases, facts: Sequence[ShownFacts], what: str
) -> tuple[list[tuple[str, str]], str, str]:
    """Return (sentence, refusal) of each subject, the model as it names itself, and how the call ended."""
    if not facts:
        return [], "", "nothing to ask"
    run = f"sentences {facts[0].facts_hash}"
    call = port_of(settings, databases, run).sentences(sentence_messages(facts, what))
    if call.reply is None:
        raise ConfigError(f"no reply ({call.verdict}): {call.words}", "an answer", "see `lotus llm calls`")
    rows = [(one.text, one.refusal) for one in read_sentences(call.reply, facts)]
    return rows, call.reply.model, call.verdict.value
