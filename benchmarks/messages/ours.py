"""The work of the message path: a sender in sig, and one process with the Herald and dm's handler. No reporting here.

`python -m benchmarks.messages.ours ROLE HOME ...`, the roles of `peer.py`.
"""

import asyncio
import json
import signal
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus_herald.consume import Delivery
from lotus_herald.herald import Herald
from lotus_herald.keys import Keys
from lotus_herald.outbox import send_many
from lotus_store.config import Settings
from lotus_store.databases import Databases

PAYLOAD = {"branch": "main", "detector_id": "sr", "symbol": "BTC", "s": 0.2533, "ctx": [1, 2, 3, 4, 5, 6, 7]}
TABLE = "CREATE TABLE IF NOT EXISTS effects (k bigint, payload text); GRANT ALL ON effects TO PUBLIC"


def said(k: int, run: int, priority: int = 0) -> Message:
    """Return one message."""
    return Message(
        to=(Module.DM,),
        intent=Intent.ALPHA_PROPOSED,
        branch="main",
        schema_ref="urn:schema:sig.alpha_proposed:v1",
        payload={
            "branch": "main",
            "event_id": natural_id(run, k),
            "detector_id": "sr",
            "asset": "BTC",
            "time_ms": 0,
            "horizon_s": 60,
            "priors_ver": "0" * 32,
            "signal": {"k": k, "payload": PAYLOAD},
        },
        ts=time.time_ns() // 1_000_000,
        dedupe_key=natural_id(run, k),
        lifecycle_id=f"{run}-{k}",
        priority=priority,
        ttl_sec=600,
    )


def send(home: Path, rate: float, seconds: float, together: int) -> None:
    """Send at a pace (one transaction each) or as fast as possible; print when each was committed, in ns."""
    keys, run = Keys(home / "keys"), time.time_ns()
    with Databases(Settings(home), migrated=False) as databases, closing(databases.connect("sig")) as connection:
        began, k, committed = time.monotonic(), 0, list[int]()
        while time.monotonic() < began + seconds:
            if rate:
                time.sleep(max(0.0, began + k / rate - time.monotonic()))
            send_many(connection, Module.SIG, [said(k + i, run) for i in range(together)], keys)
            connection.commit()
            committed += [time.time_ns()] * together
            k += together
    print(json.dumps(committed))


async def work(home: Path, quota: int, queue: int) -> None:
    """Carry and apply until SIGTERM; print (number, applied at in ns)."""
    applied_at: list[tuple[int, int]] = []
    handled: list[int] = []

    def effect(delivery: Delivery) -> str:
        told = delivery.envelope.payload["signal"]
        values = [told["k"], json.dumps(told["payload"])]
        delivery.connection.execute("INSERT INTO effects (k, payload) VALUES (%s, %s)", values)
        handled.append(told["k"])
        return "applied"

    def applied(*_: object) -> None:
        now = time.time_ns()
        applied_at.extend((k, now) for k in handled)
        handled.clear()

    with Databases(Settings(home), migrated=False) as databases:
        herald = Herald(
            databases,
            Keys(home / "keys"),
            {Module.DM: {Intent.ALPHA_PROPOSED: effect}},
            event_time_ms=lambda: 0,
            now_ms=lambda: time.time_ns() // 1_000_000,
            on_applied=applied,
        )
        batch = min(herald.carrier.routes.batch, max(queue // 4, 1))
        herald.carrier.routes = replace(herald.carrier.routes, quota_per_minute=quota, queue=queue, batch=batch)
        task = asyncio.create_task(herald.run())
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await asyncio.sleep(1.0)
        print("ready", flush=True)
        await stop.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    print(json.dumps(applied_at))


def schema(home: Path) -> None:
    """Make the databases and the table of effects."""
    with Databases(Settings(home)) as databases, databases.owner("dm") as connection:
        connection.execute(TABLE)
    print("lotus")


if __name__ == "__main__":
    role, place, *rest = sys.argv[1:]
    if role == "schema":
        schema(Path(place))
    elif role == "send":
        send(Path(place), float(rest[0]), float(rest[1]), int(rest[2]))
    else:
        asyncio.run(work(Path(place), int(rest[0]), int(rest[1])))
