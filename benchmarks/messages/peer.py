"""The same work done by procrastinate: one job per message, a worker that writes one row for each. No timing of ours.

Run by the interpreter of `load.py --peer-python` as `peer.py ROLE DSN ...`; it needs procrastinate and psycopg only.
Roles: `schema`; `send RATE SECONDS TOGETHER` (0 = as fast as it can, TOGETHER jobs at once); `work` until SIGTERM.
"""

import asyncio
import json
import signal
import sys
import time

import psycopg

try:
    import procrastinate
    from procrastinate import PsycopgConnector, SyncPsycopgConnector
except ImportError:
    print("not installed")
    sys.exit(4)

APPLIED = []


def make_app(dsn, together):
    """Return the app with its task; the sender's is synchronous, as one that sends in a transaction is."""
    connector = SyncPsycopgConnector(conninfo=dsn) if together else PsycopgConnector(conninfo=dsn)
    app = procrastinate.App(connector=connector)

    @app.task(name="effect", queue="messages")
    async def effect(k, payload):
        async with make_app.pool.connection() as connection:
            await connection.execute("INSERT INTO effects (k, payload) VALUES (%s, %s)", [k, json.dumps(payload)])
        APPLIED.append((k, time.time_ns()))

    return app, effect


def send(dsn, rate, seconds, together):
    """Defer jobs at a pace or as fast as possible; print when each was committed, in ns."""
    app, effect = make_app(dsn, together)
    payload = {"branch": "main", "detector_id": "sr", "symbol": "BTC", "s": 0.2533, "ctx": [1, 2, 3, 4, 5, 6, 7]}
    with app.open():
        began, k, committed = time.monotonic(), 0, []
        while time.monotonic() < began + seconds:
            if rate:
                time.sleep(max(0.0, began + k / rate - time.monotonic()))
            jobs = [{"k": k + i, "payload": payload} for i in range(together)]
            if together == 1:
                effect.defer(**jobs[0])
            else:
                effect.batch_defer(*jobs)
            committed += [time.time_ns()] * together
            k += together
    print(json.dumps(committed))


async def work(dsn):
    """Work until SIGTERM; print (number, applied at in ns)."""
    from psycopg_pool import AsyncConnectionPool

    app, _ = make_app(dsn, 0)
    async with AsyncConnectionPool(dsn, min_size=10, max_size=10) as pool:
        make_app.pool = pool
        async with app.open_async():
            task = asyncio.create_task(
                app.run_worker_async(queues=["messages"], concurrency=10, install_signal_handlers=False)
            )
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            print("ready", flush=True)
            await stop.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    print(json.dumps(APPLIED))


def schema(dsn):
    """Make the tables."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE effects (k bigint, payload text)")
    app, _ = make_app(dsn, 1)
    with app.open():
        app.schema_manager.apply_schema()
    print(procrastinate.__version__)


if __name__ == "__main__":
    role, dsn, *rest = sys.argv[1:]
    if role == "schema":
        schema(dsn)
    elif role == "send":
        send(dsn, float(rest[0]), float(rest[1]), int(rest[2]))
    else:
        asyncio.run(work(dsn))
