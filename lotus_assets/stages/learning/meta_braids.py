"""meta_braids[day]: compositions of braids under judgement, promoted, or refused with the number that refused them."""

from collections.abc import Mapping

from lotus.hashing import natural_id
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Made, Stage, StageContext, TextTable
from lotus_assets.stages.learning.woven import META_STATE, weave, woven_inputs
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.lessons import write_experiments
from lotus_store.ledger.bodies import to_body

KIND = "meta_braid"  # kind of experiment rows


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The woven nightly run and the braid registry it left."""
    return {**woven_inputs(ctx, day), "braids": content_of(ctx, ctx.branch, day, "braids")}


def make(ctx: StageContext, day: str) -> Made:
    """Leave the nightly run's candidates to the commit."""
    night = weave(ctx, day)
    compositions, state = night.meta, night.meta_state

    def ledger(connection: Connection) -> None:
        write_experiments(connection, ctx.branch, day, KIND, {c.candidate_id: c for c in compositions})
        write_experiments(connection, ctx.branch, day, META_STATE, {META_STATE: state})

    rows = [(c.detector_id, c.op, c.co_occurrence, c.days, c.m_nats, c.verdict, c.reason) for c in compositions]
    head = ("detector", "operator", "co-occurrence", "days out of sample", "evidence, nats", "verdict", "reason")
    notes = {
        "candidates": len(compositions),
        "started": state.started,
        "promoted": sum(c.verdict == "promoted" for c in compositions),
        "refused": sum(c.verdict == "refused" for c in compositions),
    }
    content = natural_id(to_body(list(compositions)), to_body(state))
    return Made(rows=len(compositions), content_hash=content, notes=notes, table=TextTable(head, rows), ledger=ledger)


STAGE = Stage("meta_braids", inputs, make)
