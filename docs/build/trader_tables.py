"""The tables of `docs/concepts/trading.md`, from the enums and values of the code.

`python docs/build/trader_tables.py` prints them; a test compares them with the page. Presentation only.
"""

from collections.abc import Mapping, Sequence

from lotus.trading.plan.curators import CURATORS
from lotus.trading.plan.knobs import KNOBS
from lotus.trading.plan.refusals import RefusalReason


def refusal_table() -> str:
    """Return the reasons of refusal."""
    return _table(("reason", "meaning"), [(f"`{r.value}`", r.meaning) for r in RefusalReason])


def knob_table() -> str:
    """Return the knobs of execution."""
    rows = [(f"`{k.key}`", f"{k.start:g}", f"{k.low:g} to {k.high:g}", k.unit, k.meaning) for k in KNOBS]
    return _table(("knob", "start", "bounds", "unit", "meaning"), rows)


def curator_table() -> str:
    """Return the curators."""
    rows = [(c.name, f"{c.weight:g}", f"{c.threshold:g}", "yes" if c.vetoes else "no") for c in CURATORS]
    return _table(("curator", "weight", "threshold", "veto"), rows)


def tables() -> Mapping[str, str]:
    """Return the tables by the name of the mark that stands before each in the page."""
    return {"refusals": refusal_table(), "knobs": knob_table(), "curators": curator_table()}


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print("\n\n".join(f"<!-- {name} -->\n{text}" for name, text in tables().items()))
