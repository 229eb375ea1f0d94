"""A home whose days are those of a world with one planted pattern, and candidates that may enter it."""

from types import SimpleNamespace
from typing import Any

from lotus.coprocessor.breeding import TrialCharge
from lotus.coprocessor.genome import Genome, read, spec_text
from lotus.coprocessor.panel import DAY_MS, Panel
from lotus.coprocessor.scoring import day_sums
from lotus.manifest import Manifest
from lotus.simulation.breeding_world import ORACLES, WINDOW_MS, BreedingWorld, panel_of_days, world_days
from lotus.tape_machine.parser import parse
from lotus.timebase import day_of
from lotus_assets.breeding.forward import detector_of
from lotus_store.ledger.beliefs.candidates import ChargedRun, charge_trials
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query

DAYS = [day_of(d * DAY_MS) for d in range(45)]
NIGHT, LATEST = 14, 22
SPAN: list[list[float]] = [[], []]  # S and H of the days on which the planted pattern is found
TEXT, HORIZON = ORACLES["column"][2]
WORLD = BreedingWorld("plant", 5, "column", 2, len(DAYS), assets=2, windows=120, snr=3.0)


def genome(text: str = TEXT) -> Genome:
    """Return what is planted, or another candidate of its horizon."""
    return read(parse(text), HORIZON, WINDOW_MS)


def may_enter(sig: Connection, one: Genome, night: int = NIGHT, knows_until: str | None = None, side: int = 1) -> str:
    """Write a candidate that may enter; return its id."""
    run = ChargedRun(f"run {night}", "main", DAYS[night], knows_until or "")
    operator = "grow" if knows_until is None else "llm"
    charge_trials(sig, run, [TrialCharge(one.canonical, 1, operator, one.horizon_s, one.text, ())])
    body = {"expression": one.text, "horizon_s": one.horizon_s, "side": side, "t": 4.0}
    body |= {"daily_bps": list(SPAN[0]), "daily_weight": list(SPAN[1]), "days": DAYS[: NIGHT + 1][-len(SPAN[0]) :]}
    body |= {"spec": spec_text(one, side, detector_of(one.canonical), "Planted.")}
    for state in ("proposed", "screened"):
        values = ["main", one.canonical, run.run, run.night, state, "bar", 8.0, 7.0, "", to_body(body)]
        sig.execute(query("sig", "put_candidate_life"), values)
    return one.canonical


def home_of(sig: Connection) -> Any:
    """Return what stages know of the home: its days as `made`, those with frames as `framed`, the `last` matured."""
    made = world_days(WORLD)
    sums = day_sums([genome()], [1], panel_of_days(WORLD, made[: NIGHT + 1]))[0]
    SPAN[:] = sums[:, 0].tolist(), sums[:, 1].tolist()
    home = SimpleNamespace(
        sig=sig, branch="main", tape_branch="tape", manifest=Manifest(), last=len(DAYS) - 1, made=made, framed=DAYS,
        lake=SimpleNamespace(days=lambda name, branch: home.framed),
    )  # fmt: skip
    return home


def matured(home: Any, until: str = "") -> list[str]:
    """Return the matured days."""
    return [d for d in DAYS[: home.last + 1] if not until or d <= until][-40:]


def panels(home: Any, days: list[str], without: list[str]) -> dict[str, Panel]:
    """Return the panel of some days, the same without any detector: the world has none in force."""
    return dict.fromkeys(without, panel_of_days(WORLD, [home.made[DAYS.index(d)] for d in days]))
