"""What is in force of acts of governance, and who may do what: facts for the command line and the console."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lotus.curation.registry import all_curators
from lotus.timebase import next_day
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.acts import acts_ending_after
from lotus_store.ledger.day_commits import committed_days

LAST_STAGE = "active_priors"


def acts_facts(connection: Connection, branch: str) -> dict[str, Any]:
    """Return every act that holds on some day after the last committed one, with its state, and all curators."""
    days = committed_days(connection, branch, LAST_STAGE)
    last = days[-1] if days else ""
    acts = [
        {**asdict(act), "state": "in force" if act.from_day <= next_day(last) else "to come"}
        for act in acts_ending_after(connection, branch, last)
        if last and act.from_day < act.until_day and act.until_day > next_day(last)
    ]
    return {"branch": branch, "day": last, "acts": acts, "curators": curator_rows()}


def curator_rows() -> list[Mapping[str, Any]]:
    """Return the registry as plain values."""
    return [
        {"module": c.module, "name": c.name, "vetoes": c.vetoes, "cap": c.cap, "kpi": c.kpi} for c in all_curators()
    ]
