"""JSON from outside: read within bounds of size and nesting, so that no text ends the process that reads it.

Every reader of a text that another program wrote (a venue, a recording, a request, a file that may be damaged) comes
through here or asks `too_deep` before its own typed decoder. How deep a decoder can go by itself depends on the stack
it is called from; a bound of our own gives every caller the same verdict. (RFC 8259, section 9, allows such bounds.)
"""

import json
import re
from itertools import accumulate
from typing import Any, Final

MAX_DEPTH: Final = 64  # arrays and objects inside one another; the venue's deepest frame has 8
MAX_TEXT_BYTES: Final = 64 * 2**20  # of one text; the venue's longest answer is below 5 MB
_ESCAPED: Final = re.compile(rb"\\.", re.DOTALL)
_BRACKETS: Final = b"[]{}"
_OTHERS: Final = bytes(code for code in range(256) if code not in _BRACKETS)
_STEP: Final = tuple(1 if code in b"[{" else -1 for code in range(256))


class UnreadableJson(ValueError):
    """The text is no JSON, or one beyond the bounds; nothing of it was stored."""


def nesting(raw: bytes) -> int:
    r"""Return how many arrays and objects of a JSON text in UTF-8 lie inside one another at most.

    Exact for as much of the text as is JSON, which is as far as any decoder comes.

    >>> nesting(b'{"a": [1, {"b": "[[[\\"["}]}')
    3
    """
    if b"\\" in raw:
        raw = _ESCAPED.sub(b"", raw)
    brackets = b"".join(raw.split(b'"')[::2]).translate(None, _OTHERS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def too_deep(raw: bytes) -> bool:
    """Tell whether a JSON text in UTF-8 is nested deeper than `MAX_DEPTH`; nearly free for a text with few brackets."""
    return raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and nesting(raw) > MAX_DEPTH


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises `UnreadableJson`, a `ValueError`, for whatever cannot be read: another encoding than UTF-8, no JSON, an
    integer of more digits than Python takes, more than `MAX_TEXT_BYTES`, nesting beyond `MAX_DEPTH`.
    """
    try:
        raw = text.encode() if isinstance(text, str) else bytes(text)
        if len(raw) > MAX_TEXT_BYTES:
            raise UnreadableJson(f"{len(raw)} bytes; expected: at most {MAX_TEXT_BYTES}")
        if too_deep(raw):
            raise UnreadableJson(f"nested deeper than {MAX_DEPTH}; expected: arrays and objects as the sender's form")
        return json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, UnreadableJson) else UnreadableJson(f"no JSON ({error})") from error
