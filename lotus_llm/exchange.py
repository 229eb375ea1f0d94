"""One exchange as a text: request and answer, byte for byte, for the lake and for cassettes.

A cassette is such a text in a folder, named by the hash of its request. No key is in one.
"""

import base64
import binascii
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus.coprocessor.model.calls import CallVerdict
from lotus.errors import ConfigError
from lotus.json_text import UnreadableJson, read_json
from lotus_llm.client import ModelAnswer
from lotus_llm.endpoint import ModelEndpoint
from lotus_llm.wire import ModelRequest


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """A request with the answer to it."""

    address: str
    request: ModelRequest
    answer: ModelAnswer

    def as_text(self) -> str:
        """Return the exchange as JSON, keys in order, ending with a line break."""
        value = {
            "request_hash": self.request.request_hash, "address": self.address,
            "request": json.loads(self.request.body), "verdict": self.answer.verdict.value,
            "status": self.answer.status, "took_ms": round(self.answer.took_ms, 1), **_body(self.answer.body),
        }  # fmt: skip
        return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def answer_in(text: str, request: ModelRequest, where: str) -> ModelAnswer:
    """Return the answer of a stored exchange; raises `ConfigError` for a damaged text or one of another request."""
    try:
        value: dict[str, Any] = read_json(text)
        if value["request_hash"] != request.request_hash or value["request"] != json.loads(request.body):
            raise ConfigError(f"{where} is of another request", "the request it is named by", "it was edited or moved")
        body = (
            base64.b64decode(value["body_base64"], validate=True) if "body_base64" in value else value["body"].encode()
        )
        return ModelAnswer(CallVerdict(value["verdict"]), int(value["status"]), body, float(value["took_ms"]))
    except (UnreadableJson, KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        wanted = "an exchange as it was recorded"
        raise ConfigError(f"{where} cannot be read ({error})", wanted, "it was edited or damaged") from error


class Cassettes:
    """Recorded exchanges in a folder, a file each."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made by the first write."""
        self.folder = folder

    def path(self, request: ModelRequest) -> Path:
        """Return where the exchange of a request is, whether it is there or not."""
        return self.folder / f"{request.request_hash}.json"

    def find(self, request: ModelRequest) -> ModelAnswer | None:
        """Return the recorded answer, None where none is; raises `ConfigError` for a damaged one."""
        path = self.path(request)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path} is no text", "an exchange as it was recorded", "it was edited") from error
        return answer_in(text, request, str(path))

    def write(self, endpoint: ModelEndpoint, request: ModelRequest, answer: ModelAnswer) -> None:
        """Record an exchange, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(request)
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            part.write_text(RecordedExchange(endpoint.address, request, answer).as_text(), encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _body(raw: bytes) -> dict[str, str]:
    try:
        return {"body": raw.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(raw).decode()}
