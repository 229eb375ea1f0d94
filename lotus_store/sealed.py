"""Small JSON and text files with a hash that proves they are as written: indexes, headers, documents.

A JSON object has the hash of its other members, canonically encoded, as its member `seal`; a text has it in a last line
that begins with #. A file of before, without one, is read as it stands. (Literature: checksummed metadata.)
"""

import hashlib
import re
from typing import TypeVar

import msgspec

from lotus.plain import value_of

T = TypeVar("T")
SEAL = "seal"
MARK = "\n#"
_HASHED = re.compile(r"[0-9a-f]{32}\n\Z")  # a seal whose mark is damaged


def seal_json(value: object, indent: int) -> bytes:
    """Return the JSON text of a struct with its seal, `indent` spaces a level, ended by a newline."""
    members: dict[str, object] = msgspec.to_builtins(value)
    sealed = msgspec.json.encode(members | {SEAL: _seal(members)})
    return msgspec.json.format(sealed, indent=indent) + b"\n"


def unseal_json(raw: bytes, kind: type[T]) -> T:
    """Return the struct in a text; raises `msgspec.MsgspecError` when it is damaged or none of this kind."""
    try:
        members = msgspec.json.decode(raw)
    except (UnicodeDecodeError, RecursionError) as problem:
        raise msgspec.DecodeError(str(problem)) from problem
    seal = members.pop(SEAL, None) if isinstance(members, dict) else None
    if seal is not None and seal != _seal(members):
        raise msgspec.ValidationError("its seal is that of other values")
    return value_of(members, kind)


def seal_text(text: str) -> bytes:
    """Return a text with its seal, as UTF-8."""
    return f"{text}{MARK}{_digest(text.encode())}\n".encode()


def unseal_text(raw: bytes) -> str:
    """Return the text of a file; raises `ValueError` when it is not the one that was sealed, or no UTF-8."""
    whole = raw.decode()
    text, mark, seal = whole.rpartition(MARK)
    if not mark and _HASHED.search(whole) is None:
        return whole
    if seal != f"{_digest(text.encode())}\n":
        raise ValueError("its seal is that of another text")
    return text


def _seal(members: dict[str, object]) -> str:
    return _digest(msgspec.json.encode(members, order="deterministic"))


def _digest(payload: bytes) -> str:
    return hashlib.blake2b(payload, digest_size=16).hexdigest()
