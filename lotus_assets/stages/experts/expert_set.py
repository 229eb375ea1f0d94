"""expert_set[day]: the experts in force on the day on this branch, and what they say where it is not as shipped.

Which set holds is a function of branch and day (`lotus.experts.weekly.learned`). Under the shipped set nothing is
computed: the tables of `dsi_annotations` hold. Under another one the same tables are written to the branch. That no
frame after a row decides it is a property of the same code and is checked there.
"""

from collections.abc import Mapping

from lotus.curation.in_force import expert_states
from lotus.experts.fusion import ExpertSet, default_experts
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.experts.weekly.learned import set_under
from lotus.hashing import natural_id
from lotus.microtape.frames.batch import FrameBatch
from lotus.timebase import day_start_ms
from lotus_assets.stages.chain import content_of, day_before
from lotus_assets.stages.context import Cell, Made, Stage, StageContext, TextTable
from lotus_assets.stages.day_frames import warmed_frames
from lotus_assets.stages.lake_tables import parts_hash
from lotus_assets.stages.tape.dsi_annotations import parts, read_annotations, write_annotations
from lotus_store.ledger.beliefs.acts import acts_on
from lotus_store.ledger.beliefs.expert_sets import expert_set_on


def experts_of(ctx: StageContext, day: str) -> ExpertSet:
    """Return the experts in force on a day of the branch."""
    states = expert_states(acts_on(ctx.sig, ctx.branch, day), day)
    return set_under(expert_set_on(ctx.sig, ctx.branch, day), states)


def day_annotations(ctx: StageContext, day: str, frames: FrameBatch) -> AnnotationBatch:
    """Return what the experts of the day say about `frames` (day and warm-up), in the row order of the frames.

    Raises `LakeError` when a frame has no annotation.
    """
    experts = experts_of(ctx, day)
    return read_annotations(ctx, lake_branch(ctx, experts), day, frames, experts)


def lake_branch(ctx: StageContext, experts: ExpertSet) -> str:
    """Return the branch of the lake that holds what a set says: that of the tape for the shipped one."""
    return ctx.tape_branch if experts is default_experts() else ctx.branch


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The shipped experts' annotations (which stand for the frames) and the set of the day.

    Raises `BeliefError` while the day before, whose judgement may decide the set, is not committed.
    """
    day_before(ctx, day)
    return {
        "dsi_annotations": content_of(ctx, ctx.tape_branch, day, "dsi_annotations"),
        "experts": experts_of(ctx, day).version,
    }


def present(ctx: StageContext, day: str) -> str:
    """Hash of the set and of the parts that are in the lake."""
    experts = experts_of(ctx, day)
    return _content(ctx, day, experts, parts_hash(ctx, lake_branch(ctx, experts), day, parts(ctx)))


def make(ctx: StageContext, day: str) -> Made:
    """Name the day's set; write what it says unless that is what the shipped experts said."""
    experts, shipped = experts_of(ctx, day), default_experts()
    notes, table = _notes(ctx, day, experts), _changes(experts, shipped)
    if experts is shipped:
        held = content_of(ctx, ctx.tape_branch, day, "dsi_annotations")
        return Made(0, _content(ctx, day, experts, held), (), notes, table)
    frames = warmed_frames(ctx, day)
    whole = annotate(frames, experts, ctx.manifest.kernel.window_ms)
    warm = ~frames.in_day(day_start_ms(day))
    ours = whole.of_rows(~warm)
    joined, schema = write_annotations(ctx, ctx.branch, day, ours, whole.of_rows(warm))
    return Made(len(ours), _content(ctx, day, experts, joined), (schema,), notes, table)


def _content(ctx: StageContext, day: str, experts: ExpertSet, joined: str) -> str:
    return natural_id(STAGE.name, experts.version, joined) if joined else ""


def _notes(ctx: StageContext, day: str, experts: ExpertSet) -> dict[str, Cell]:
    in_force = expert_set_on(ctx.sig, ctx.branch, day)
    since = (
        {"since": in_force.from_day, "judged": in_force.judged_day}
        if in_force
        else {"since": "", "judged": "as shipped"}
    )
    off = [name for name, v in experts.fusion.voices.items() if v.status != "active"]
    idle = {"idle": " ".join(experts.idle)} if experts.idle else {}
    return {"experts_ver": experts.version, **since, "off": " ".join(off), "nets": " ".join(experts.nets), **idle}


def _changes(experts: ExpertSet, shipped: ExpertSet) -> TextTable:
    fitted = experts.fusion.confidence or {}
    pairs = zip(experts.fusion.voices.items(), shipped.fusion.voices.values(), strict=True)
    rows = [
        (name, v.weight, was.weight, v.status, "fitted" if name in fitted else "2 logistic(|z|) - 1")
        for (name, v), was in pairs
    ]
    return TextTable(("expert", "weight", "shipped weight", "status", "confidence"), rows)


STAGE = Stage("expert_set", inputs, make, present)
