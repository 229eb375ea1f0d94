"""The text of a spec file with the places of its parts, so that every error names file, key, line and column.

YAML is read here and nowhere else in this package, and its reader is imported when the first text is read; what a spec
means is `spec` and `compiler`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lotus.errors import ConfigError, ExpressionError
from lotus.tape_machine.diagnosis import nearest

if TYPE_CHECKING:
    from yaml import Node as YamlNode

_QUOTES: Final = "\"'|>-+"


@dataclass(frozen=True, slots=True)
class YamlPart:
    """A value, list or mapping of a YAML text and the line and column, from 1, where it begins."""

    line: int
    column: int
    value: str | None = None  # None for a list or mapping
    raw: str = ""  # the value as it is written, with quotes and line breaks
    items: tuple["YamlPart", ...] = ()
    names: tuple[str, ...] | None = None  # of the items of a mapping; None for a list


@dataclass(frozen=True, slots=True)
class SpecSource:
    """One part of a spec file: the file's name, the part, its key path."""

    file: str
    part: YamlPart
    key: str = ""

    def mapping(self) -> dict[str, "SpecSource"]:
        """Return the parts of a mapping in their order; raises `ConfigError` for anything else or a key twice."""
        if self.part.names is None:
            raise self.error("no mapping", "key: value")
        parts: dict[str, SpecSource] = {}
        for name, value in zip(self.part.names, self.part.items, strict=True):
            part = SpecSource(self.file, value, f"{self.key}.{name}".lstrip("."))
            if name in parts:
                raise part.error("the key twice", "one meaning for a key")
            parts[name] = part
        return parts

    def keyed(self, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, "SpecSource"]:
        """Return the parts of a mapping whose keys are exactly these; raises `ConfigError` naming the wrong one."""
        parts, needed = self.mapping(), tuple(required)
        allowed = (*needed, *optional)
        for name, part in parts.items():
            if name not in allowed:
                hint = nearest(name, allowed)
                raise part.error(f"unknown key {name!r}", ", ".join(allowed), f"{hint!r} misspelled" if hint else "")
        for name in needed:
            if name not in parts:
                raise self.error(f"no key {name!r}", ", ".join(needed), "it is missing")
        return parts

    def items(self) -> list["SpecSource"]:
        """Return the parts of a list; raises `ConfigError` for anything else."""
        if self.part.names is not None or self.part.value is not None:
            raise self.error("no list", "[a, b]")
        return [SpecSource(self.file, part, self.key) for part in self.part.items]

    @property
    def scalar(self) -> str:
        """The text of a plain value; raises `ConfigError` for a list or mapping."""
        if self.part.value is None:
            raise self.error("a list or mapping", "one value")
        return self.part.value

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

    def one_of(self, allowed: Iterable[str]) -> str:
        """Return the text, which must be one of these words; raises `ConfigError`."""
        words = tuple(allowed)
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
        line, column = self.part.line, self.part.column
        if self.part.value is not None and offset:
            line, column = _place(self.part, self.part.value, offset)
        return ExpressionError(
            f"{self.file}, {self.key or 'the file'}: {error.found}", error.expected, error.cause,
            line=line, column=column, excerpt=error.excerpt, suggestion=error.suggestion,
        )  # fmt: skip


def read_source(text: str, file: str) -> SpecSource:
    """Return the root of a YAML text; raises `ConfigError` for a text that is no YAML, empty, or inside itself."""
    import yaml

    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        message = " ".join(str(error).replace('in "<unicode string>", ', "at ").split())
        raise ConfigError(f"{file}: {message}", "YAML") from None
    if node is None:
        raise ConfigError(f"{file} is empty", "the keys of a spec")
    return SpecSource(file, _part(node, text, file, {}))


def _part(node: "YamlNode", text: str, file: str, made: dict[int, YamlPart | None]) -> YamlPart:
    """Return a node without the reader's objects; one that several aliases name is made once."""
    from yaml import MappingNode, ScalarNode

    if id(node) not in made:
        made[id(node)] = None
        start, end, value = node.start_mark, node.end_mark, node.value
        line, column = start.line + 1, start.column + 1
        if isinstance(node, ScalarNode):
            yaml_part = YamlPart(line, column, str(value), text[start.index : end.index])
        elif isinstance(node, MappingNode):
            if any(not isinstance(name, ScalarNode) for name, _ in value):  # as text it may be exponentially long
                raise ConfigError(f"{file}: a key that is a list or mapping, line {line}", "a name as key")
            items = tuple(_part(item, text, file, made) for _, item in value)
            yaml_part = YamlPart(line, column, items=items, names=tuple(str(name.value) for name, _ in value))
        else:
            yaml_part = YamlPart(line, column, items=tuple(_part(item, text, file, made) for item in value))
        made[id(node)] = yaml_part
    part = made[id(node)]
    if part is None:
        raise ConfigError(f"{file}: an alias inside what it names", "values")
    return part


def plain(source: SpecSource) -> object:
    """Return a part as plain values: mappings, lists and texts, as a registry keeps it."""
    if source.part.names is not None:
        return {name: plain(part) for name, part in source.mapping().items()}
    if source.part.value is None:
        return [plain(part) for part in source.items()]
    return source.part.value


def _place(part: YamlPart, value: str, offset: int) -> tuple[int, int]:
    """Return line and column of a value's character, whatever the style it is written in: blanks do not count."""
    wanted, text, place = len("".join(value[:offset].split())), part.raw, 0
    while place < len(text) and (text[place] in _QUOTES or text[place].isspace()) and not value.startswith(text[place]):
        place += 1
    seen, more = 0, offset < len(value.rstrip())
    while place < len(text) and (seen < wanted or (more and text[place].isspace())):
        seen += not text[place].isspace()
        place += 1
    rows = text.count("\n", 0, place)
    return part.line + rows, place - text.rfind("\n", 0, place) if rows else part.column + place
