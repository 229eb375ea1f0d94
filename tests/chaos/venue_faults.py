"""Seeded faults of the local exchange against the hyperliquid adapter and a minimal reconciling client.

`python tests/chaos/venue_faults.py --n 10000 --seed 1 --minutes 30`. The referee is the exchange's own state: an order
placed twice, a name that filled more than it was asked for, a fill or position the client does not know, a name
believed never placed that was, a state believed wrongly, an unknown left at the end. Prints one JSON line; exit code 1
when any of them is not 0. An ambiguity is one fault that struck a request or a message of the client's.
"""

import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lotus_venues")]

from check_venue import ASK, BID  # noqa: E402
from local_bed import ACCOUNT, LocalBed, local_bed, local_venue  # noqa: E402
from venue_client import REFUSED, Client  # noqa: E402

from lotus.errors import VenueError  # noqa: E402
from lotus.trading.execution.orders import OrderState, Side  # noqa: E402
from lotus_venues.hyperliquid.http import JsonPoster, Unanswered  # noqa: E402
from lotus_venues.local_exchange.faults import Fault, FaultKind  # noqa: E402

TIMEOUT_S, EXPIRES_MS = 0.12, 400
ACTIONS = ("order", "cancelByCloid", "batchModify")
CHANNELS = ("orderUpdates", "userFills")
CHANGES: dict[str, Any] = {"timeout_s": TIMEOUT_S, "expires_ms": EXPIRES_MS, "look_s": 2.0}
OPEN_WORDS = frozenset({"open", "triggered"})


def faults(timeout_s: float = TIMEOUT_S, stale: int = 10) -> tuple[Fault, ...]:
    """Return the faults of a drill: requests fail before and after they are done, messages come wrong or not at all.

    A slow answer comes after the client's timeout; `stale` books of one coin are withheld together.
    """
    made = []
    for action in ACTIONS:
        made += [Fault(FaultKind.ERROR_AFTER, action, 0.12), Fault(FaultKind.HANG_AFTER, action, 0.06)]
        made += [Fault(FaultKind.ERROR_BEFORE, action, 0.08), Fault(FaultKind.HANG_BEFORE, action, 0.03)]
        made += [Fault(FaultKind.TOO_MANY, action, 0.03), Fault(FaultKind.SLOW, action, 0.04, seconds=2.5 * timeout_s)]
    for asked in ("info:orderStatus", "info:frontendOpenOrders", "info:userFillsByTime"):
        made += [Fault(FaultKind.ERROR_BEFORE, asked, 0.03), Fault(FaultKind.HANG_BEFORE, asked, 0.005)]
    for channel in CHANNELS:
        made += [Fault(FaultKind.DUPLICATE, channel, 0.15), Fault(FaultKind.REORDER, channel, 0.15)]
        made += [Fault(FaultKind.DROP, channel, 0.15), Fault(FaultKind.SILENT, channel, 0.004)]
        made += [Fault(FaultKind.DISCONNECT, channel, 0.01)]
    return (*made, Fault(FaultKind.STALE_BOOK, "BTC", 0.02, length=stale))


class LatePoster(JsonPoster):
    """A network that holds some signed requests back: the client hears nothing, the venue gets them later, or too late.

    `held` counts them; `chance`, `dice` and how late they come belong to the whole drill.
    """

    chance, held, dice = 0.0, 0, random.Random(0)
    given_up_s, latest_s = TIMEOUT_S, 1.5 * EXPIRES_MS / 1e3

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send now, or later behind the caller's back."""
        if path != "/exchange" or self.dice.random() >= self.chance:
            return await super().post(path, body)
        LatePoster.held += 1
        self._later = asyncio.create_task(self._arrive(body, self.dice.uniform(0, self.latest_s)))
        await asyncio.sleep(self.given_up_s)
        raise Unanswered("held back by the network")

    async def _arrive(self, body: dict[str, Any], after_s: float) -> None:
        await asyncio.sleep(after_s)
        with contextlib.suppress(VenueError):
            await super().post("/exchange", body)


CHANGES["poster"] = LatePoster


async def move(made: LocalBed, dice: random.Random) -> None:
    """Let others trade and quote, around the first prices."""
    shift = Decimal(dice.randint(-40, 40))
    if dice.random() < 0.5:
        await made.hands.quote(BID + shift, ASK + shift, Decimal("0.05"))
    else:
        await made.hands.trade(dice.choice(list(Side)), BID + shift, Decimal(dice.randint(1, 40)) / 1000)
    if dice.random() < 0.05:
        await made.hands.mark(BID + dice.randint(-400, 400))


def faults_on(made: LocalBed, on: bool) -> None:
    """Switch faults of exchange and network on or off."""
    made.exchange.faults.switch(faults() if on else ())
    LatePoster.chance = 0.06 if on else 0.0


async def restart(made: LocalBed) -> None:
    """Put another adapter in the place of one that is gone, with the journal it left."""
    await made.venue.close()
    made.venue.exchange.signer.journal.close()
    made.venue = _venue(made)
    made.bed.venue = made.venue
    await made.venue.connect()
    await made.bed.listen()


def _venue(made: LocalBed) -> Any:
    return local_venue(made.exchange.url, made.folder, made.hands.clock, **CHANGES)


def referee(made: LocalBed, client: Client) -> dict[str, Any]:
    """Compare what the client believes with the exchange's own books."""
    truth = made.exchange.dump(ACCOUNT)
    orders: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in truth["orders"]:
        orders[row["cloid"]].append(row)
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for row in truth["fills"]:
        filled[row.get("cloid", "")] += Decimal(row["sz"])
    position = sum((Decimal(p["position"]["szi"]) for p in truth["clearinghouse"]["assetPositions"]), Decimal(0))
    believed = sum((fill.size * int(fill.side) for fill in client.fills.values()), Decimal(0))
    found: Counter[str] = Counter()
    wrong: list[dict[str, Any]] = []
    for name, rows in orders.items():
        before = found.total()
        tracked = client.orders.get(name)
        accepted = [row for row in rows if not row["status"].endswith(("Rejected", "rejected"))]
        if tracked is None:
            found["untracked_orders"] += bool(accepted)
            continue
        found["duplicate_orders"] += len(accepted) > 1 + tracked.modifies
        found["duplicate_orders"] += sum(row["status"] in OPEN_WORDS for row in accepted) > 1
        found["overfilled"] += filled[name] > tracked.allowed
        is_open = any(row["status"] in OPEN_WORDS for row in rows)
        found["wrong_states"] += tracked.state is not OrderState.UNKNOWN and is_open == tracked.state.is_final
        found["never_placed_but_was"] += tracked.state is OrderState.NEVER_PLACED and bool(accepted)
        found["wrong_states"] += tracked.state in REFUSED and filled[name] > 0
        if found.total() > before:
            wrong.append({"believed": tracked.state, "modifies": tracked.modifies, "orders": rows})
    found["missed_fills"] = len({str(row["tid"]) for row in truth["fills"]} ^ set(client.fills))
    found["untracked_positions"] = int(position != believed)
    found["unresolved_unknowns"] = sum(t.state is OrderState.UNKNOWN for t in client.orders.values())
    names = ("duplicate_orders", "untracked_orders", "untracked_positions", "unresolved_unknowns", "overfilled")
    verdict = {name: found[name] for name in (*names, "wrong_states", "never_placed_but_was", "missed_fills")}
    return verdict | ({"wrong": wrong} if wrong else {})


async def drill(n: int, seed: int, minutes: float, folder: Path) -> dict[str, Any]:
    """Run until `n` ambiguities struck or the minutes are over; then switch faults off, reconcile and judge."""
    dice, began = random.Random(seed), time.monotonic()
    LatePoster.held, LatePoster.dice = 0, random.Random(seed)
    async with local_bed(folder, seed, **CHANGES) as made:
        client = Client(made.bed, dice)
        made.bed.run = f"seed{seed}"
        unknowns, restarts, step = 0, 0, 0
        faults_on(made, True)
        while made.exchange.faults.struck.total() + LatePoster.held < n and time.monotonic() - began < 60 * minutes:
            step += 1
            await client.act()
            await move(made, dice)
            if step % 10 == 0:
                await client.reconcile()
            if step % 200 == 0:
                unknowns, restarts = unknowns + made.venue.exchange.unknowns, restarts + 1
                faults_on(made, False)
                await restart(made)
                faults_on(made, True)
        faults_on(made, False)
        await asyncio.sleep(2 * EXPIRES_MS / 1e3)
        for _ in range(5):
            if not await client.reconcile(patient=True):
                break
            await asyncio.sleep(0.3)
        verdict = referee(made, client)
        struck = made.exchange.faults.struck
        return {
            "ambiguities": struck.total() + LatePoster.held,
            **verdict,
            "is_clean": not any(verdict.values()),
            "steps": step,
            "orders": len(client.orders),
            "fills": len(client.fills),
            "lost_answers": unknowns + made.venue.exchange.unknowns,
            "asked": client.asked,
            "restarts": restarts,
            "struck": dict(sorted((by_kind(struck) + Counter(late=LatePoster.held)).items())),
            "seed": seed,
            "seconds": round(time.monotonic() - began, 1),
        }


def by_kind(struck: Counter[str]) -> Counter[str]:
    """Return the strikes by kind of fault, whatever they hit."""
    kinds: Counter[str] = Counter()
    for place, count in struck.items():
        kinds[place.split(":")[0]] += count
    return kinds


@click.command()
@click.option("--n", default=10_000, help="Ambiguities to strike.")
@click.option("--seed", default=1)
@click.option("--minutes", default=60.0, help="Stop striking after so long.")
def main(n: int, seed: int, minutes: float) -> None:
    """Strike, reconcile, judge; print one JSON line."""
    with tempfile.TemporaryDirectory() as folder:
        told = asyncio.run(drill(n, seed, minutes, Path(folder)))
    click.echo(json.dumps(told))
    sys.exit(0 if told["is_clean"] else 1)


if __name__ == "__main__":
    main()
