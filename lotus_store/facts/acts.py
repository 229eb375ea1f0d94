"""What is in force of acts of governance, and who may do what: facts for the command line and the console."""

from dataclasses import asdict
from typing import Any, Final

from lotus.curation.act import CurationAct, CurationKind
from lotus.curation.curator_value import CURATOR_VALUE, KPI_DAYS, PEOPLE, CuratorKpi, kpis
from lotus.curation.kpis import KpiRow
from lotus.curation.registry import all_curators
from lotus.detectors.curators import MOST_OF_PEOPLE
from lotus.timebase import next_day
from lotus_store.databases import Connection
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.acts import acts_ending_after
from lotus_store.ledger.curator_kpis import newest_kpis
from lotus_store.ledger.day_commits import committed_days

LAST_STAGE = "active_priors"
_KPI: Final = ("value_bps", "value_low", "value_high", "days", "nudged", "vetoed", "regret_bps")


def acts_facts(connection: Connection, lake: Lake, branch: str) -> dict[str, Any]:
    """Return every act that holds on some day after the last committed one, with its state, and all curators."""
    last, acts = acts_to_hold(connection, branch)
    return {"day": last, "acts": acts, "curators": curator_rows(connection, lake, branch)}


def acts_to_hold(connection: Connection, branch: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the last committed day ("" without one), and every act that holds on some day after it with its state."""
    days = committed_days(connection, branch, LAST_STAGE)
    last = days[-1] if days else ""
    acts = [
        {**asdict(act), "state": _state(act, next_day(last))}
        for act in acts_ending_after(connection, branch, last)
        if last and act.from_day < act.until_day and act.until_day > next_day(last)
    ]
    return last, acts


def _state(act: CurationAct, tomorrow: str) -> str:
    if act.from_day <= tomorrow:
        return "in force"
    return "from the next window on" if act.at_once else "to come"


def held_back(connection: Connection, branch: str) -> tuple[bool | None, str]:
    """Return whether an act of governance vetoes anything from the day after the last committed one on, and in words.

    None where no day is committed. Said by the brief and by Home, of nudges and vetoes in force and of those to come.
    """
    days = committed_days(connection, branch, LAST_STAGE)
    if not days:
        return None, "no night has ended yet"
    today = next_day(days[-1])
    acts = [act for act in acts_ending_after(connection, branch, days[-1]) if act.until_day > today]
    acts = [act for act in acts if act.kind != CurationKind.SIGN_OFF]
    own = [a for a in acts if a.from_day <= today or a.at_once]
    later = [a for a in acts if a not in own]
    vetoes, to_come = ([a for a in some if a.kind == CurationKind.VETO] for some in (own, later))
    nudges, nudges_to_come = len(own) - len(vetoes), len(later) - len(to_come)
    parts = [f"vetoed: {'; '.join(_veto(a) for a in vetoes)}"] if vetoes else []
    parts += [f"to be vetoed: {'; '.join(f'{_veto(a)}, from {a.from_day} on' for a in to_come)}"] if to_come else []
    parts += [f"{nudges} nudges in force"] if nudges else []
    parts += [f"{nudges_to_come} nudges begin later"] if nudges_to_come else []
    return bool(vetoes or to_come), "; ".join(parts) or "nothing"


def _veto(act: CurationAct) -> str:
    return f"{act.target} by {act.actor} until {act.until_day} ({act.reason})"


def curator_rows(connection: Connection, lake: Lake, branch: str) -> list[dict[str, Any]]:
    """Return the registry, people last, with what their acts did over the last 60 learning days (None: nothing).

    `found` are the KPIs of the newest night, each in words with what it rests on.
    """
    texts: dict[str, list[str]] = {}
    for row in newest_kpis(connection, branch):
        texts.setdefault(f"{row.module} {row.curator}", []).append(_in_words(row))
    days = list(lake.days(CURATOR_VALUE.name, branch))[-KPI_DAYS:]
    found = {kpi.actor: kpi for kpi in kpis([lake.read(CURATOR_VALUE.name, branch, day) for day in days])}
    rows = [
        {"module": c.module, "name": c.name, "vetoes": c.vetoes, "cap": c.cap, "kpi": c.kpi}
        | _kpi(found.get(c.actor) if c.module == "sig" else None)
        for c in all_curators()
    ]
    people = {"module": "sig", "name": PEOPLE, "vetoes": True, "cap": MOST_OF_PEOPLE, "kpi": "value, veto regret"}
    rows.append(people | _kpi(found.get(PEOPLE)))
    return [row | {"found": "; ".join(texts.get(f"{row['module']} {row['name']}", ()))} for row in rows]


def _in_words(row: KpiRow) -> str:
    """Return a KPI in words.

    >>> _in_words(KpiRow("sig", "mutation", "false promotions, share", 0.25, None, None, 4))
    'false promotions, share: 0.25 (of 4)'
    """
    span = "" if row.low is None or row.high is None else f", {row.low:.4g} to {row.high:.4g}"
    return f"{row.kpi}: {row.value:.4g}{span} (of {row.n})"


def _kpi(kpi: CuratorKpi | None) -> dict[str, Any]:
    """Return what acts did, in plain values."""
    if kpi is None:
        return dict.fromkeys(_KPI)
    values = kpi.value.total, kpi.value.low, kpi.value.high, kpi.value.days, kpi.nudged, kpi.vetoed, kpi.regret_bps
    return dict(zip(_KPI, values, strict=True))
