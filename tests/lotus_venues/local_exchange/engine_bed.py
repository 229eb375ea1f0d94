"""Entries and stops in front of a small engine."""

from small_engine import (
    ask,
    oid_of,
    put,
)

from lotus_venues.local_exchange.engine.exchange import Engine

LONG_ENTRY = ask(True, "100001", "0.1", "Ioc")


def long_with_stop(made: Engine, **keys: object) -> int:
    """Ann long 0.1 BTC with a sell stop at 99,000."""
    put(made, LONG_ENTRY)
    stop = ask(False, "90000", "0.1", trigger_px="99000", kind="sl", reduce_only=True, **keys)
    oid = oid_of(put(made, stop))
    made.drain()
    return oid
