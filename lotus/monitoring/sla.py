"""Service levels: what a deployment promises (`sla.yaml`), and which promises a set of facts breaks.

A promise of which nothing is known is neither kept nor broken. How facts are found is not known here.
(Literature: service level objectives.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from lotus.errors import SchemaError


@dataclass(frozen=True, slots=True)
class Promise:
    """One service level: the most (or least) that a fact may be, in its unit."""

    name: str
    limit: float
    unit: str
    text: str
    least: bool = False

    def is_broken(self, found: float) -> bool:
        """Tell whether a fact breaks it; what is no number does."""
        return not (found >= self.limit if self.least else found <= self.limit)

    @property
    def words(self) -> str:
        """What is promised."""
        return f"{self.text}: {'>=' if self.least else '<='} {self.limit:g} {self.unit}"


def promises_of(text: str) -> tuple[Promise, ...]:
    """Return the promises of a document; raises `SchemaError` for another form."""
    document = yaml.safe_load(text)
    try:
        return tuple(Promise(name=str(name), **members) for name, members in document.items())
    except (AttributeError, TypeError) as problem:
        raise SchemaError(f"service levels: {problem}", "a name with limit, unit, text, and least") from problem


@cache
def shipped_promises() -> tuple[Promise, ...]:
    """Return the promises that come with the package."""
    return promises_of((files("lotus.monitoring") / "sla.yaml").read_text("utf-8"))


def broken(promises: tuple[Promise, ...], facts: Mapping[str, float | None]) -> list[tuple[Promise, float]]:
    """Return the promises that the facts break, with what was found."""
    looked_at = [(promise, facts.get(promise.name)) for promise in promises]
    return [(promise, found) for promise, found in looked_at if found is not None and promise.is_broken(found)]
