"""What a model is asked for sentences, and its reply read: facts as shown go out, checked sentences come in.

Facts hold numbers, closed names and expressions of the language; no text that somebody wrote is among them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lotus.coprocessor.model.port import REPLY_BYTES, ModelReply
from lotus.coprocessor.model.prompt_text import ChatMessage
from lotus.errors import ConfigError
from lotus.json_text import UnreadableJson, read_json
from lotus.sentences.sentence_check import PLAIN_WORDS, check_sentence
from lotus.sentences.shown_facts import LONGEST, ShownFacts

MOST_SENTENCES: Final = 8
_TASK: Final = """\
You write one plain English sentence for each subject below, from its facts alone. Repeat numbers and names letter by
letter as they are shown; use no other number or name. Besides them use only words of the list. No markup, no address.
Answer with one JSON object and nothing around it: {"sentences": ["...", ...]}, one for each subject, in order.
"""


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence that may be shown, or why it may not."""

    text: str
    refusal: str = ""


def sentence_messages(subjects: Sequence[ShownFacts], what: str) -> tuple[ChatMessage, ...]:
    """Return the messages that ask for a sentence of each subject; `what` is a word of this program's for them."""
    words = f"At most {LONGEST} characters each. Words: {' '.join(sorted(PLAIN_WORDS))}\n"
    shown = "\n".join(
        f"{what} {k}: " + "; ".join(f"{name} = {value}" for name, value in one.values)
        for k, one in enumerate(subjects[:MOST_SENTENCES], 1)
    )
    return ChatMessage("system", _TASK + words), ChatMessage("user", shown + "\n")


def read_sentences(reply: ModelReply, subjects: Sequence[ShownFacts]) -> list[ReadSentence]:
    """Return the sentence of each subject, checked; raises `ConfigError` for a reply of another form."""
    expected = f'{{"sentences": [{len(subjects)} texts]}} and no other key'
    if reply.tool_calls or len(reply.content.encode(errors="replace")) > REPLY_BYTES:
        raise ConfigError("a reply that calls tools or is too large", expected)
    try:
        value: Any = read_json(reply.content)
    except UnreadableJson as error:
        raise ConfigError(f"a reply that is no JSON ({error})", expected) from None
    texts = value.get("sentences") if isinstance(value, dict) and set(value) == {"sentences"} else None
    if type(texts) is not list or len(texts) != len(subjects) or not all(type(text) is str for text in texts):
        raise ConfigError(f"a reply {json.dumps(value)[:80]}", expected)
    return [_read(text, facts) for text, facts in zip(texts, subjects, strict=True)]


def _read(text: str, facts: ShownFacts) -> ReadSentence:
    try:
        return ReadSentence(check_sentence(text, facts))
    except ConfigError as error:
        return ReadSentence("", str(error))
