"""The one tree of errors.

Every message says what was found, what was expected and the likely cause, and never a password. Nothing else belongs
here.
"""

import re

_IN_ADDRESS = re.compile(r"""(/[^\s:@/"']*):[^\s"']+@""")
_AS_WORD = re.compile(r"""(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s'"&]+)""", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return a text with the passwords of addresses in it taken out.

    >>> redacted("postgres//u:SECRET@h/x, host=h password='a b' user=u")
    'postgres//u:***@h/x, host=h password=*** user=u'
    """
    return _AS_WORD.sub(r"\1***", _IN_ADDRESS.sub(r"\1:***@", text))


class LotusError(Exception):
    """Root of every error that Lotus raises on purpose."""

    def __init__(self, found: str, expected: str = "", cause: str = "") -> None:
        """Build the message from what was `found`, what was `expected` and the likely `cause`."""
        self.found, self.expected, self.cause = (redacted(text) for text in (found, expected, cause))
        parts = [self.found]
        if expected:
            parts.append(f"expected: {self.expected}")
        if cause:
            parts.append(f"likely cause: {self.cause}")
        super().__init__("; ".join(parts))


class ConfigError(LotusError):
    """A setting is missing, unknown or out of its range."""


class ExpressionError(ConfigError):
    """An expression of the tape machine cannot be read or has no meaning: where, why and what to try instead."""

    def __init__(
        self,
        found: str,
        expected: str = "",
        cause: str = "",
        *,
        line: int = 1,
        column: int = 1,
        excerpt: str = "",
        suggestion: str = "",
    ) -> None:
        """Add the place (`line` and `column` from 1), the line with a caret below it, and a `suggestion`."""
        super().__init__(found, expected, cause)
        self.line, self.column, self.excerpt, self.suggestion = line, column, excerpt, suggestion

    def __str__(self) -> str:
        """Return place, message, excerpt and suggestion, a line each."""
        lines = [f"line {self.line}, column {self.column}: {super().__str__()}"]
        lines += [self.excerpt] if self.excerpt else []
        lines += [f"try: {self.suggestion}"] if self.suggestion else []
        return "\n".join(lines)


class WireError(LotusError):
    """A frame from the venue does not have the form of its channel."""


class TapeError(LotusError):
    """A tape, segment or recording cannot be read whole."""


class LakeError(LotusError):
    """A lake file is missing, half-written or not what its hash says."""


class LedgerError(LotusError):
    """The database refuses, is not the expected one, or has another schema."""


class QueryError(LotusError):
    """A question in SQL cannot be read, is not allowed, or needs more time or memory than it may take."""


class SchemaError(LotusError):
    """A table has columns, types or ranges other than its specification."""


class BeliefError(LotusError):
    """Priors that a day needs are missing, late or of another branch."""


class MessageError(LotusError):
    """An envelope is malformed, forged, expired or not allowed."""


class VenueError(LotusError):
    """An order or request was refused by a venue."""


class LookAheadError(LotusError):
    """A value would depend on something not yet known at its time."""
