"""The text of a spec file with the places of its parts, so that every error names file, key, line and column.

YAML is read here and nowhere else in this package; what a spec means is `spec` and `compiler`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import yaml
from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from lotus.errors import ConfigError, ExpressionError
from lotus.tape_machine.diagnosis import nearest

_LOADER: Final[type] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_QUOTES: Final = "\"'|>-+"


@dataclass(frozen=True, slots=True)
class Source:
    """One part of a spec file: its key path, its YAML node, the file's name and text."""

    file: str
    text: str
    node: yaml.Node
    key: str = ""

    def mapping(self) -> dict[str, "Source"]:
        """Return the parts of a mapping in their order; raises `ConfigError` for anything else or a key twice."""
        if not isinstance(self.node, MappingNode):
            raise self.error("no mapping", "key: value")
        found: dict[str, Source] = {}
        for name, value in self.node.value:
            part = Source(self.file, self.text, value, f"{self.key}.{name.value}".lstrip("."))
            if name.value in found:
                raise part.error("the key twice", "one meaning for a key")
            found[str(name.value)] = part
        return found

    def keyed(self, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, "Source"]:
        """Return the parts of a mapping whose keys are exactly these; raises `ConfigError` naming the wrong one."""
        found, needed = self.mapping(), tuple(required)
        known = (*needed, *optional)
        for name, part in found.items():
            if name not in known:
                hint = nearest(name, known)
                raise part.error(f"unknown key {name!r}", ", ".join(known), f"{hint!r} misspelled" if hint else "")
        for name in needed:
            if name not in found:
                raise self.error(f"no key {name!r}", ", ".join(needed), "it is missing")
        return found

    def items(self) -> list["Source"]:
        """Return the parts of a list; raises `ConfigError` for anything else."""
        if not isinstance(self.node, SequenceNode):
            raise self.error("no list", "[a, b]")
        return [Source(self.file, self.text, node, self.key) for node in self.node.value]

    @property
    def scalar(self) -> str:
        """The text of a plain value; raises `ConfigError` for a list or mapping."""
        if not isinstance(self.node, ScalarNode):
            raise self.error("a list or mapping", "one value")
        return str(self.node.value)

    def whole(self) -> int:
        """Return a whole number; raises `ConfigError`."""
        if not self.scalar.isdecimal():
            raise self.error(f"{self.scalar!r}", "a whole number")
        return int(self.scalar)

    def number(self) -> float:
        """Return a finite number; raises `ConfigError`."""
        try:
            value = float(self.scalar)
        except ValueError:
            raise self.error(f"{self.scalar!r}", "a number") from None
        if not abs(value) < 1e9:
            raise self.error(f"{self.scalar!r}", "a finite number")
        return value

    def one_of(self, known: Iterable[str]) -> str:
        """Return the text, which must be one of these words; raises `ConfigError`."""
        words = tuple(known)
        if self.scalar not in words:
            raise self.error(f"{self.scalar!r}", ", ".join(words), nearest(self.scalar, words))
        return self.scalar

    def error(self, found: str, expected: str = "", cause: str = "") -> ConfigError:
        """Return the error at the beginning of this part."""
        return self.located(ExpressionError(found, expected, cause), 0)

    def expression_error(self, error: ExpressionError) -> ExpressionError:
        """Return an error inside this part's expression with the place it has in the file."""
        value = self.scalar
        lines = value.split("\n")
        return self.located(error, sum(len(line) + 1 for line in lines[: error.line - 1]) + error.column - 1)

    def located(self, error: ExpressionError, offset: int) -> ExpressionError:
        """Return the error at a character of this part's value."""
        mark = self.node.start_mark
        line, column = mark.line + 1, mark.column + 1
        if isinstance(self.node, ScalarNode) and offset:
            line, column = _place(self.text, mark.index, self.node.value, offset)
        return ExpressionError(
            f"{self.file}, {self.key or 'the file'}: {error.found}", error.expected, error.cause,
            line=line, column=column, excerpt=error.excerpt, suggestion=error.suggestion,
        )  # fmt: skip


def read_source(text: str, file: str) -> Source:
    """Return the root of a YAML text; raises `ConfigError` for a text that is no YAML or empty."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: {' '.join(str(error).split())}", "YAML") from None
    if node is None:
        raise ConfigError(f"{file} is empty", "the keys of a spec")
    return Source(file, text, node)


def plain(source: Source) -> object:
    """Return a part as plain values: mappings, lists and texts, as a registry keeps it."""
    if isinstance(source.node, MappingNode):
        return {name: plain(part) for name, part in source.mapping().items()}
    if isinstance(source.node, SequenceNode):
        return [plain(part) for part in source.items()]
    return source.scalar


def numbers(parts: Mapping[str, Source]) -> Iterator[tuple[str, float]]:
    """Yield name and number of every part."""
    for name, part in parts.items():
        yield name, part.number()


def _place(text: str, start: int, value: str, offset: int) -> tuple[int, int]:
    """Return line and column of a value's character, whatever the style it is written in: blanks do not count."""
    wanted = len("".join(value[:offset].split()))
    at = start
    while at < len(text) and (text[at] in _QUOTES or text[at].isspace()) and not value.startswith(text[at]):
        at += 1
    seen, more = 0, offset < len(value.rstrip())
    while at < len(text) and (seen < wanted or (more and text[at].isspace())):
        seen += not text[at].isspace()
        at += 1
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
