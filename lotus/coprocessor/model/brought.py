"""A detector's text as a candidate of the search: its names put in place, within the bounds of what is bred.

The search sees columns of windows alone, so a spec with frame expressions or a requirement is none of its candidates.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from lotus.coprocessor.genome import Genome, read, rewritten
from lotus.detectors.spec import DetectorSpec, Parameter
from lotus.errors import ConfigError
from lotus.tape_machine.parser import parse
from lotus.tape_machine.syntax import Name, Tree


def genome_of(spec: DetectorSpec, step_ms: int) -> Genome:
    """Return the candidate that says what a spec says; raises `ConfigError` for one that is not searched."""
    if spec.frames or spec.require:
        found = "expressions over frames" if spec.frames else f"a requirement ({spec.require})"
        raise ConfigError(found, "columns of windows alone", "the search does not compute others")
    names: dict[str, Tree] = {p.name: _number(p) for p in spec.params}
    for name, text in spec.windows:
        names[name] = _in_place(parse(text), names)
    return read(_in_place(parse(spec.signal), names), spec.horizon_s, step_ms)


def latest_known(values: Iterable[str | None]) -> str | None:
    """Return until when models that had a part know: the last day, "" where one is not known, None without a model.

    >>> latest_known([None, "2026-01-01", "2026-02-01"]), latest_known([None, "", "2026-01-01"]), latest_known([None])
    ('2026-02-01', '', None)
    """
    days = [day for day in values if day is not None]
    return ("" if "" in days else max(days)) if days else None


def _in_place(tree: Tree, names: Mapping[str, Tree]) -> Tree:
    return rewritten(tree, partial(_put, names))


def _put(names: Mapping[str, Tree], part: Tree) -> Tree:
    return names.get(part.name, part) if isinstance(part, Name) else part


def _number(p: Parameter) -> Tree:
    return parse(f"{p.value!r}{'' if p.unit == '1' else p.unit}")
