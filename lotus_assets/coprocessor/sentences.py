"""Sentences of a model on lessons, and its opinions on candidates: asked once, checked, stored for people to read."""

from collections.abc import Sequence
from typing import Any

from lotus.coprocessor.genome import environment
from lotus.coprocessor.model.sentence_prompt import MOST_SENTENCES, read_sentences, sentence_messages
from lotus.errors import ConfigError
from lotus.priors.segment_context import has_segments, rule_words
from lotus.sentences.aliases import nameless_facts, with_names
from lotus.sentences.shown_facts import LONGEST, ShownFacts, facts_of_candidate, facts_of_lesson
from lotus.tape_machine.checker import check
from lotus.tape_machine.parser import parse
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
        coins = [asset.name for asset in settings.manifest.universe]
        shown = {x.lesson_id: facts_of_lesson(x, rule_words(settings.manifest)) for x in kept}
        tonight = [x for x in kept if x.night == newest]
        held = texts_of(sig, settings.branch, [shown[x.lesson_id] for x in tonight])
        without = [x for x in tonight if x.lesson_id not in held or held[x.lesson_id].author != MODEL]
        asked = without[:MOST_SENTENCES]
        is_context = has_segments(settings.manifest)
        nameless = [nameless_facts(x, len(coins), is_context) for x in asked]
        rows, model, verdict = _asked(settings, databases, nameless, "lesson")
        found = [
            {"lesson_id": x.lesson_id, "text": with_names(text, x, coins)[:LONGEST], "refused": refusal}
            for x, (text, refusal) in zip(asked, rows, strict=True)
        ]
        put_lesson_texts(sig, settings.branch, [
            LessonText(x["lesson_id"], shown[x["lesson_id"]].facts_hash, MODEL, model, x["text"]) for x in found
            if x["text"]
        ])  # fmt: skip
    return {"night": newest, "lessons": len(tonight), "model": model, "verdict": verdict, "sentences": found}


def candidate_opinion(settings: Settings, candidate: Facts) -> Facts:
    """Ask the model for an opinion on a candidate (a row of the ledger) and attach it; raises as `lesson_words`.

    A signal with names of its own beside the columns is refused (`ExpressionError`): somebody chose them.
    """
    check(parse(candidate["body"]["expression"]), environment(settings.manifest.kernel.window_ms))  # columns alone
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
