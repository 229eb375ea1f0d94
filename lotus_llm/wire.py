"""The wire of chat completions: a request as bytes, an answer as a `ModelReply`. Pure; nothing is sent here.

Sent are model, messages, the limit of tokens and, where it is wanted, the JSON schema of the one form of a reply. No
tools are offered. (OpenAI API reference, chat completions; vLLM, llama.cpp and Ollama speak it.)
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lotus.coprocessor.model.calls import MOST_TOKENS, TokenUse
from lotus.coprocessor.model.port import MOST_SPECS, ModelReply
from lotus.coprocessor.model.prompt_text import ChatMessage
from lotus.hashing import natural_id
from lotus.json_text import UnreadableJson, read_json
from lotus_llm.endpoint import ModelEndpoint

SHOWN_MODEL: Final = 128  # characters of the model as answered
SPECS, SENTENCES = "specs", "sentences"  # the forms of a reply: a list of texts under this key


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """The bytes of a request and their identity: equal bytes to one address are one request, paid once."""

    body: bytes
    request_hash: str


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """A reply with what its server says it used; without a reply, what is wrong with the answer."""

    reply: ModelReply | None
    use: TokenUse | None
    words: str = ""


def request_bytes(
    model: str, max_tokens: int, structured: bool, messages: Sequence[ChatMessage], form: str = SPECS
) -> bytes:
    """Return the body that asks a model these messages; ASCII."""
    value: dict[str, Any] = {
        "model": model,
        "messages": [{"role": one.role, "content": one.text} for one in messages],
        "max_tokens": max_tokens,
        "stream": False,
    }
    if structured:
        value["response_format"] = _response_format(form)
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def _response_format(form: str) -> dict[str, Any]:
    texts = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_SPECS}
    schema = {"type": "object", "properties": {form: texts}, "required": [form], "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": form, "strict": True, "schema": schema}}


def request_of(endpoint: ModelEndpoint, messages: Sequence[ChatMessage], form: str = SPECS) -> ModelRequest:
    """Return the request that asks the model of an endpoint these messages."""
    body = request_bytes(endpoint.model, endpoint.max_tokens, endpoint.structured, messages, form)
    return ModelRequest(body, natural_id("llm", endpoint.address, body))


def read_answer(body: bytes) -> ReadAnswer:
    """Return what an answer of status 200 says; raises nothing for any bytes."""
    try:
        value = read_json(body)
    except UnreadableJson as error:
        return ReadAnswer(None, None, f"the answer is {str(error)[:120]}")
    use = _use(value.get("usage")) if isinstance(value, dict) else None
    try:
        (choice,) = value["choices"]
        message, finish = choice["message"], choice.get("finish_reason")
        tools = any(message.get(name) for name in ("tool_calls", "function_call"))
        content = message.get("content")
        if not isinstance(content, str):
            content = "" if tools else None
        model = value.get("model")
        if content is None or not isinstance(model, str):
            raise ValueError("no text, or no name of a model")
    except (KeyError, TypeError, ValueError, AttributeError):
        return ReadAnswer(None, use, "the answer has no one choice with a message of text and the name of a model")
    shown = "".join(letter if letter.isprintable() else " " for letter in model)[:SHOWN_MODEL]
    return ReadAnswer(ModelReply(content, shown, tools, finish if isinstance(finish, str) else ""), use)


def is_asked_model(asked: str, answered: str) -> bool:
    """Tell whether the model that answered is the one that was asked, or a dated version of it.

    >>> is_asked_model("m-4", "m-4-2026-01-01"), is_asked_model("m-4", "m-3"), is_asked_model("org/m-4", "m-4")
    (True, False, True)
    """
    names = (asked, asked.rpartition("/")[2])
    said_as = (answered, answered.rpartition("/")[2])
    return any(one == name or one.startswith(f"{name}-") for one in said_as for name in names)


def _use(usage: Any) -> TokenUse | None:
    """Return a usage that can be believed: two whole numbers in range."""
    if not isinstance(usage, dict):
        return None
    tokens_in, tokens_out = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if type(tokens_in) is not int or type(tokens_out) is not int:
        return None
    believable = 0 <= tokens_in <= MOST_TOKENS and 0 <= tokens_out <= MOST_TOKENS and tokens_in + tokens_out > 0
    return TokenUse(tokens_in, tokens_out) if believable else None
