"""Compositions across modules for readers: those in force, those judged, and with `everything` those that ended."""

from dataclasses import replace

import pytest
from styles_tried import DEEP, IMPROVE, JOIN, ONE, OWN

from lotus.knobs.compositions import NOT_TAKEN, TAKEN
from lotus.priors.knobs import owner_in
from lotus.priors.types import IDENTITY, priors_0
from lotus.timebase import day_start_ms, next_day
from lotus.weave.braid import Braid
from lotus.weave.composition import Parts
from lotus.weave.meta import MetaCandidate
from lotus.weave.night import changes
from lotus_cli.look.lessons_page import composition_lines
from lotus_store.databases import Databases
from lotus_store.facts.compositions import composition_rows
from lotus_store.ledger.beliefs.knob_nights import COMPOSITION, write_records, write_registry

DAY = "2026-01-20"


def candidate(name: str, owner: str, direction: float, **changes: object) -> MetaCandidate:
    base = MetaCandidate(
        name, owner_in(owner, "sweep"), "RULE", ("t", "s"), Parts((DEEP,), (direction,), ()), 0.1, "2026-01-08", 1
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def composition(name: str, **changes: object) -> Braid:
    base = replace(
        OWN, braid_id=name, braid_type="meta", detector_id=owner_in(IMPROVE, "sweep"), parents=("t", "s"), rule=DEEP,
        scope="cross", expires_at_ms=day_start_ms("2026-02-07"),
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("everything", [False, True])
def test_what_acts_and_what_is_judged_is_told_with_its_evidence(databases: Databases, everything: bool) -> None:
    acting, over = composition("m"), composition("n", state="sunset", patch=IDENTITY, reason="reverted")
    board, none = [OWN, acting, over], priors_0("main")
    days = {"block_days": (DAY,), "gain": (8.0,), "weight": (2.0,), "reason": "1 days after the start, 10 needed"}
    records = [
        candidate("a", JOIN, NOT_TAKEN, **days),
        candidate("b", IMPROVE, TAKEN, verdict="refused", reason="parent s is no longer in force"),
        candidate("c", IMPROVE, TAKEN, verdict="promoted"),
    ]
    with databases.connect("tr") as tr:
        write_registry(tr, "tr", "main", DAY, board, changes([], board, none, none), [ONE])
        write_records(tr, "tr", "main", DAY, COMPOSITION, {c.candidate_id: c for c in records})
        rows = composition_rows(tr, "main", DAY, everything)
        assert composition_rows(tr, "main", next_day(DAY, -1), everything) == [], "of the day before: nothing yet"
    names = [row.get("braid_id") or row["candidate_id"] for row in rows]
    assert names == (["m", "n", "a", "b", "c"] if everything else ["m", "a", "b"])
    said = " ".join("\n".join(composition_lines(rows)).split())
    assert "* sweep: improve, although a lesson of the trader says join where" in said
    assert "braid m claims +3.00 bps a plan, e-value against it 1.00" in said
    assert "* sweep: cross, although a lesson of the trader says join where" in said
    assert (
        "running; 1 days after the start, 10 needed paid +4.00 bps a plan on 1 learning days since 2026-01-08" in said
    )
    assert "refused; parent s is no longer in force no trial on 0 learning days" in said
    assert composition_lines([]) == []
