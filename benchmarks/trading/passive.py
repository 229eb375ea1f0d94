"""Orders at rest: the product's bounds against the exchange's matching, what they cost, and what each style would pay.

`python -m benchmarks.trading.passive [--orders N] [--json]` lives the same orders by `lotus.outcomes.passive` and by
the local exchange, on the recording of 2025-09-04 where it lies beside the checkout and on a simulated session, and
measures the CPU time of the styles beside that of today's probes. `--table` scores the recordings with the shipped
detectors and prints what their windows would pay by style, whatever it is. The exchange's matching is a model too:
against recorded fills of one's own nothing can be shown.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.trading.passive_orders import Compared, RawTape, compared
from benchmarks.trading.passive_styles import cost, table
from lotus.manifest import Asset
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CAPTURES = {
    "2025-09-03": DATA / "hyperliquid-2025-09-03-outages" / "frames.jsonl.gz",
    "2025-09-04": DATA / "hyperliquid-2025-09-04" / "frames.jsonl.gz",
}
DECIMALS = {"BTC": 5, "ETH": 4, "SOL": 2, "WLFI": 0}
SESSION = ("08:00", "09:00")
SEED = 11


def recording(day: str) -> RawTape | None:
    """Return a recorded tape, None where it does not lie beside the checkout."""
    path = CAPTURES[day]
    if not path.is_file():
        return None
    lines = [line for line in gzip.decompress(path.read_bytes()).split(b"\n") if line]
    return RawTape(f"recording {day}", lines, tuple(Asset(n, d) for n, d in DECIMALS.items()))


def simulated(session: tuple[str, str] = SESSION) -> RawTape:
    """Return a session of the demo's world."""
    world = World(WorldSpec("demo", SEED, 1, sessions=(session,)))
    text = b"".join(part for _, part in world.day_pieces(0))
    lines = [line for line in text.split(b"\n") if line]
    return RawTape("simulated session", lines, tuple(Asset(a.name, a.sz_decimals) for a in world.spec.assets))


def figures(rows: Sequence[Compared]) -> dict[str, Any]:
    """Return how many orders the exchange filled within the bounds, and how many less than the pessimistic one."""
    n, wanted = len(rows), sum(row.wanted for row in rows)
    sure = [row for row in rows if row.low]
    return {
        "orders": n,
        "within": sum(row.low <= row.exchange <= row.high for row in rows) / n,
        "pessimistic_filled": len(sure),
        "pessimistic_not_given": sum(row.low > row.exchange for row in sure) / max(1, len(sure)),
        "optimistic_exceeded": sum(row.exchange > row.high for row in rows) / n,
        "filled": {k: sum(getattr(row, k) for row in rows) / wanted for k in ("low", "exchange", "high")},
    }


def tapes() -> Iterator[RawTape]:
    """Yield the tapes that orders are lived on."""
    found = recording("2025-09-04")
    if found is not None:
        yield found
    yield simulated()


@click.command()
@click.option("--orders", default=200, show_default=True, help="Most orders of one kind on one coin of a tape.")
@click.option("--table", "by_style", is_flag=True, help="What scored windows pay by style, on the recordings.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(orders: int, by_style: bool, as_json: bool) -> None:
    """Compare, or print the table by style."""
    if by_style:
        captures = [raw for raw in map(recording, CAPTURES) if raw is not None]
        if not captures:
            raise click.ClickException(f"the recordings do not lie beside the checkout (no {DATA})")
        found: Any = table(captures)
    else:
        found = {raw.name: figures(compared(raw, orders)) for raw in tapes()} | {"cost": cost(simulated())}
    print(json.dumps(found) if as_json else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
