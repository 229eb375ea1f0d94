"""Sentences belong to the facts they were written of; opinions are added and never changed."""

import psycopg
import pytest

from lotus.sentences.shown_facts import ShownFacts
from lotus_store.databases import Databases
from lotus_store.ledger.texts import MODEL, PERSON, LessonText, attach, attachments_of, put_lesson_texts, texts_of


def test_a_models_sentence_is_shown_of_the_same_facts_alone(databases: Databases) -> None:
    facts = ShownFacts("lesson", (("size", "1.00"),), 1)
    other = ShownFacts("lesson", (("size", "2.00"),), 1)
    rows = [LessonText("lesson", facts.facts_hash, "template", "", "by the template")]
    with databases.connect("sig", autocommit=True) as sig:
        assert texts_of(sig, "b", [facts]) == {}
        put_lesson_texts(sig, "b", rows)
        assert texts_of(sig, "b", [facts])["lesson"].text == "by the template"
        for text in ("by a model", "by a model again"):
            put_lesson_texts(sig, "b", [LessonText("lesson", facts.facts_hash, MODEL, "m-1", text)])
        assert texts_of(sig, "b", [facts])["lesson"].text == "by a model"
        assert texts_of(sig, "b", [other]) == texts_of(sig, "another", [facts]) == {}
        for wrong in (LessonText("l", "h", "person", "", "x"), LessonText("l", "h", MODEL, "m", "x" * 601)):
            with pytest.raises(psycopg.errors.CheckViolation):
                put_lesson_texts(sig, "b", [wrong])
        for change in ("UPDATE lesson_texts SET text = 'x'", "DELETE FROM attachments"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                sig.execute(change)


def test_an_opinion_is_attached_once(databases: Databases) -> None:
    with databases.connect("sig", autocommit=True) as sig:
        names = {attach(sig, "b", "c1", PERSON, "ada", "too simple") for _ in range(2)}
        attach(sig, "b", "c1", MODEL, "m-1", "T is small")
        found = attachments_of(sig, "b", "c1")
        assert names == {found[0].attachment_id}
        assert [(x.origin, x.author, x.text) for x in found] == [
            ("person", "ada", "too simple"), ("model", "m-1", "T is small"),
        ]  # fmt: skip
        assert attachments_of(sig, "b", "c2") == []
