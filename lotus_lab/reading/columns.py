"""Names of columns: those of the format, those of the files, and what the configuration says of both.

Names only; what stands in a column is `cells`. The field's word: schema mapping.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lotus.errors import SchemaError
from lotus.own_signals.columns import COLUMNS, FEATURE_PREFIX, KNOWN, column
from lotus.tape_machine.diagnosis import nearest

_REQUIRED = tuple(c.name for c in COLUMNS if c.required and c.name in KNOWN)
_USUAL = ("propensity", "payoff_bps")  # not required, and missed by most who leave them out
_SHOWN = 12  # names of a file in a message


def used(name: str) -> bool:
    """Whether a name is one of the format."""
    return name in KNOWN or name.startswith(FEATURE_PREFIX)


def checked_names(
    file: str, names: Sequence[str], columns: Mapping[str, str], required: Sequence[str] = _REQUIRED
) -> dict[str, str]:
    """Return the names of a file by the names of the format, those of no use by their own.

    `columns` is the mapping of the configuration. Raises `SchemaError` for a column that is there twice, missing or
    misspelled, and for a mapping that does not fit the file.
    """
    check_once(file, names)
    _check_mapping(file, names, columns)
    ours = {theirs: name for name, theirs in columns.items()}
    by_our_name = {ours.get(name, name): name for name in names}
    if missing := [name for name in required if name not in by_our_name]:
        wanted = "; ".join(f"{name}: {column(name).meaning.split(':')[0].split('. ')[0]}" for name in missing)
        raise SchemaError(f"{file} has no column {', '.join(missing)}", wanted, _why_missing(missing, by_our_name))
    for name in by_our_name:
        hint = "" if used(name) else _meant(name, [k for k in KNOWN if k not in by_our_name])
        if hint:
            raise SchemaError(
                f"{file} has a column {name}", f"{hint}, or a name that is not so near to it",
                f"misspelled? If it is meant, the configuration says so: {_snippet({hint: name})}",
            )  # fmt: skip
    return by_our_name


def check_once(file: str, names: Sequence[str]) -> None:
    """Raise `SchemaError` for a column that is there twice."""
    for name in names:
        if names.count(name) > 1:
            found = f"{file} has column {name} {names.count(name)} times"
            raise SchemaError(found, "each column once", "tables joined side by side, or a column renamed to another?")


def _meant(name: str, candidates: Sequence[str]) -> str:
    """Return the name of the format that a name is a misspelling of; units, which many names share, do not count."""
    stems = {re.sub("_bps$", "", k): k for k in candidates}
    return stems.get(nearest(re.sub("_bps?$", "", name), list(stems)), "")


@contextmanager
def names_of_the_files(columns: Mapping[str, str]) -> Iterator[None]:
    """Let a `SchemaError` speak of columns as the files name them, with the format's name behind."""
    try:
        yield
    except SchemaError as error:
        if not columns:
            raise

        def told(match: re.Match[str]) -> str:
            ours = match.group(1)
            return f"column {columns[ours]} ({ours})" if ours in columns else match.group(0)

        texts = (re.sub(r"\bcolumn (\w+)", told, text) for text in (error.found, error.expected, error.cause))
        raise SchemaError(*texts) from None


def _check_mapping(file: str, names: Sequence[str], columns: Mapping[str, str]) -> None:
    for ours, theirs in columns.items():
        if theirs not in names:
            hint = nearest(theirs, names)
            raise SchemaError(
                f"`columns` of the configuration takes {theirs} for {ours}, and {file} has no such column",
                f"one of {_listed(names)}",
                f"{hint!r} misspelled" if hint else "it was renamed, or is a column of other files?",
            )
        if ours in names and ours not in columns.values():
            raise SchemaError(
                f"{file} has {ours} as well as {theirs}, which `columns` of the configuration takes for {ours}",
                f"one column for {ours}",
                f"leave {ours} out of `columns` to use the file's own, or drop or rename that one",
            )


def _why_missing(missing: Sequence[str], present: Mapping[str, str]) -> str:
    """Return why columns are missing, with the lines of a configuration that would name them."""
    loose = [name for name in present if not used(name)]
    if cause := _wrong_header(list(present)):
        return cause
    near = {name: nearest(name, loose) for name in missing}
    hints = ", ".join(f"{hint!r} misspelled" for hint in near.values() if hint)
    if not loose:
        return "`lotus learn --explain-columns` tells the format"
    words = f"{hints}?" if hints else "other names?"
    also = [name for name in _USUAL if name not in present]
    named = {name: near.get(name) or "its name in the file" for name in (*missing, *also)}
    if not any(name.startswith(FEATURE_PREFIX) for name in present):
        named[f"{FEATURE_PREFIX}name"] = "a feature of the file"
    return f"{words} The file has {_listed(loose)}; a configuration may name them: {_snippet(named)}"


def _snippet(columns: Mapping[str, str]) -> str:
    inner = ", ".join(f"{ours}: {_scalar(theirs)}" for ours, theirs in columns.items())
    return f"columns: {{{inner}}}"


def _scalar(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z_][\w .%-]*", text) else json.dumps(text, ensure_ascii=False)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _wrong_header(names: Sequence[str]) -> str:
    for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if any(mark in name for name in names):
            return f"cells are divided by {word}: write commas (and points in numbers)"
    if any(name[:1].isdigit() for name in names):
        return "the first line holds data: a header is missing"
    return ""
