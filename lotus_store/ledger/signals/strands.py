"""Strands of signals and hints: what sig and vis thought, in their own databases; every write may be repeated.

Those of dm and tr are written with their decisions and plans.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lotus.decision.knowledge.regime import regime_in
from lotus.modules.signals import DET_ALPHA, SIGBUS_SCHEMAS
from lotus.timebase import session_of
from lotus_store.ledger.bodies import to_body
from lotus_store.ledger.signals.signals import SignalRow
from lotus_store.postgres.queries import Connection, query


def put_signal_strands(connection: Connection, rows: Sequence[SignalRow]) -> None:
    """Write the strands of published windows, given by all their payloads on the bus."""
    alphas = {row.event_id: json.loads(row.payload) for row in rows if row.schema_ver == DET_ALPHA}
    strands = []
    for row in (row for row in rows if row.schema_ver in SIGBUS_SCHEMAS):
        body = json.loads(row.payload)
        regime = regime_in(str(alphas.get(row.event_id, {}).get("context", "")))
        strands.append({
            "event_id": row.event_id, "asset": body["asset"], "timeframe": f"{body['horizon_s']}s",
            "session_bucket": session_of(row.time_ms).name, "regime": regime, "detector_id": body["detector_id"],
            "horizon_s": body["horizon_s"], "sig_sigma": body["curated_sigma"], "sq": body["quality"]["sq_score"],
            "mx": body["cues"]["mx_confirm"], "gates": to_body(body["eligibility"]["gates"]),
        })  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(query("sig", "put_signal_strand"), strands)


def put_hint(connection: Connection, hint: Mapping[str, Any], time_ms: int) -> None:
    """Write the strand of a hint, given by its alpha-hint-1.0 and its time (unix ms), in the vis database."""
    values = {
        "event_id": hint["event_id"], "symbol": hint["asset"], "timeframe": f"{hint['horizon_s']}s",
        "session_bucket": session_of(time_ms).name, "hint": to_body(hint),
    }  # fmt: skip
    connection.execute(query("vis", "put_hint_strand"), values)
