"""Evidence, lessons and braids of one module (dm or tr) about its knobs, as three stages of the learning lane.

`<evidence>[day]` writes what experiments showed on the day to the lake, `<module>_lessons[day]` learns over the search
window, `<module>_braids[day]` weaves. What the module keeps and says (records, lessons, registry, patch, alerts) is
written to its own database when a stage is committed, in one transaction, and may be repeated; the patch is handed over
like the detectors'. A day without evidence and without braids costs a few queries. Learning is `lotus.knobs`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from lotus.columns import TableSpec
from lotus.errors import BeliefError
from lotus.hashing import natural_id
from lotus.knobs.compositions import OtherModule
from lotus.knobs.nightly import KnobEvidence, KnobMemory, KnobRun, learn_knobs
from lotus.knobs.rows import Observation, expected_of, observations_id, rows_of
from lotus.learning.payoff_scores import Columns
from lotus.modules.intents import Module
from lotus.priors.trace import describe_braid
from lotus.priors.types import PriorsVersion
from lotus.priors.vocabulary import describe_rule
from lotus.timebase import day_start_ms, next_day
from lotus.weave.braid import Braid
from lotus.weave.review import ReviewAct
from lotus_assets.stages.chain import content_of, day_before
from lotus_assets.stages.context import CheckOutcome, Made, Stage, StageContext, TextTable
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.lake_tables import TablePart, joint_hash, present_of
from lotus_assets.stages.learning.woven import swap_ms
from lotus_assets.stages.modules.knob_sums import StoredSums
from lotus_assets.stages.schema_check import schema_check
from lotus_herald.keys import Keys
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_modules.priors.weave_notes import tell_alerts, tell_lessons
from lotus_resources.recent_values import RecentKind
from lotus_store.learner_state import LearnerState
from lotus_store.ledger.beliefs.braids import read_registry as sig_registry
from lotus_store.ledger.beliefs.knob_nights import (
    COMPOSITION,
    read_records,
    read_registry,
    write_lessons,
    write_records,
    write_registry,
)
from lotus_store.ledger.beliefs.lessons import both_slots
from lotus_store.ledger.beliefs.priors import brought_by, in_force_at
from lotus_store.ledger.beliefs.reviews import OUTCOME, waiting_reviews
from lotus_store.ledger.bodies import from_body, to_body, to_plain
from lotus_store.ledger.day_commits import read_commit

NIGHT = "night"  # kind and name of the record that a nightly run leaves to the next
EFFECT = "effect"  # kind of the records of average effects, one per knob
EXPECTED_DAYS = 20
SLACK = 1e-9
_NIGHTS = RecentKind("knob nightly runs", 4)


@dataclass(frozen=True, slots=True)
class KnobLane:
    """One module's lane: its table of evidence, where that comes from on a day, and its knobs (owner -> key).

    `other` is what compositions across modules read of sig on a day, and `other_inputs` the hashes of that.
    """

    module: Module
    evidence: TableSpec
    observed: Callable[[StageContext, str], Sequence[Observation]]
    keys: Callable[[], Mapping[str, str]]
    other: Callable[[StageContext, str], OtherModule | None] = lambda _ctx, _day: None
    other_inputs: Callable[[StageContext, str], Mapping[str, str]] = lambda _ctx, _day: {}

    @property
    def lessons(self) -> str:
        """Name of the stage that learns."""
        return f"{self.module}_lessons"

    @property
    def braids(self) -> str:
        """Name of the stage that weaves."""
        return f"{self.module}_braids"

    def stages(self) -> tuple[Stage, Stage, Stage]:
        """Return the three stages in order."""
        return (
            Stage(self.evidence.name, self._evidence_inputs, self._evidence, present_of([TablePart(self.evidence)])),
            Stage(self.lessons, self._lesson_inputs, self._lessons, finish=self._keep_lessons),
            Stage(self.braids, self._braid_inputs, self._braids, finish=self._hand_over),
        )

    def _evidence_inputs(self, ctx: StageContext, day: str) -> Mapping[str, str]:
        earlier = hashes(commits_before(ctx, self.evidence.name, day, EXPECTED_DAYS))
        return {"observed": observations_id(self.observed(ctx, day)), **earlier}

    def _evidence(self, ctx: StageContext, day: str) -> Made:
        """Score what came out on the day and could be measured; what was told again after its day stays what it was."""
        earlier = self._scores(ctx, day, EXPECTED_DAYS)
        measured = {name for table in earlier.values() for name in table["event_id"].tolist()}
        seen = self.observed(ctx, day)
        finite = [one for one in seen if math.isfinite(one.outcome_bps)]
        fresh = [one for one in finite if one.name not in measured]
        rows = rows_of(fresh, day, expected_of(earlier.values()))
        written = ctx.lake.write(self.evidence, ctx.branch, day, rows)
        notes = {"moved": int(rows["published"].sum()), "told_again": len(finite) - len(fresh)}
        notes["unmeasured"] = len(seen) - len(finite)
        content = joint_hash([TablePart(self.evidence)], [written.content_hash])
        return Made(written.rows, content, (schema_check(self.evidence, rows),), notes)

    def _scores(self, ctx: StageContext, until: str, days: int) -> dict[str, Columns]:
        """Return the evidence of the last days before `until` that have any."""
        commits = commits_before(ctx, self.evidence.name, until, days)
        return {c.day: ctx.lake.read(self.evidence.name, ctx.branch, c.day) for c in commits if c.rows}

    def _lesson_inputs(self, ctx: StageContext, day: str) -> Mapping[str, str]:
        window = commits_before(ctx, self.evidence.name, next_day(day), ctx.manifest.learning.search_days)
        digests = {self.evidence.name: content_of(ctx, ctx.branch, day, self.evidence.name), **hashes(window)}
        digests["priors before"] = self._previous(ctx, day).priors_ver
        before = day_before(ctx, day)
        if before is not None and read_commit(ctx.sig, ctx.branch, before, self.braids) is not None:
            digests["lessons before"] = content_of(ctx, ctx.branch, before, self.lessons)
            digests["braids before"] = content_of(ctx, ctx.branch, before, self.braids)
        acts = self._acts(ctx, day)
        reviews = {"reviews": natural_id(to_body(list(acts)))} if acts else {}
        return {**digests, **reviews, **self.other_inputs(ctx, day)}

    def _lessons(self, ctx: StageContext, day: str) -> Made:
        night = self._night(ctx, day)
        learned = night.learned
        kept = [*learned.lessons, *learned.refused] if learned is not None else []
        notes = {
            "accepted": len(learned.lessons) if learned else 0,
            "refused": len(learned.refused) if learned else 0,
            "trials": learned.trials if learned else 0,
            "learning_days": night.memory.learning_days,
        } | _verdicts(night)
        head = ("knob", "rule", "grade", "uplift, bps", "evidence, nats", "decision")
        rows = [
            (x.detector_id, describe_rule(x.rule), x.grade, x.uplift_bps, x.m_nats, x.reason or "accepted")
            for x in kept
        ]  # fmt: skip
        content = natural_id(*(x.lesson_id for x in kept), to_body(night.memory), to_body(list(night.effects)))
        return Made(len(kept), content, (), notes, TextTable(head, rows))

    def _keep_lessons(self, ctx: StageContext, day: str) -> None:
        """Write lessons and records to the module's database; nothing when the nightly run was empty."""
        night, name = self._night(ctx, day), self.module.value
        if night.memory == KnobMemory():
            return
        with ctx.databases.connect(name) as connection:
            if night.learned is not None:
                accepted, refused = night.learned.lessons, night.learned.refused
                write_lessons(connection, name, ctx.branch, day, [*accepted, *refused])
                tell_lessons(connection, ctx.branch, day, accepted, Keys(ctx.settings.keys_root), self.module)
            write_records(connection, name, ctx.branch, day, EFFECT, {e.owner: e for e in night.effects})
            write_records(connection, name, ctx.branch, day, COMPOSITION, {c.candidate_id: c for c in night.across})
            write_records(connection, name, ctx.branch, day, NIGHT, {NIGHT: night.memory})

    def _braid_inputs(self, ctx: StageContext, day: str) -> Mapping[str, str]:
        lessons = content_of(ctx, ctx.branch, day, self.lessons)
        return {"lessons": lessons, **self._lesson_inputs(ctx, day)}

    def _braids(self, ctx: StageContext, day: str) -> Made:
        night = self._night(ctx, day)
        woven = night.woven
        spoken = [to_body(list(woven.acts))] if woven.acts else []
        content = natural_id(to_body(list(woven.braids)), to_body(list(woven.events)), woven.priors.priors_ver, *spoken)
        notes = {
            "board": len(woven.braids),
            "in_force": sum(b.in_force for b in woven.braids),
            "changes": len(woven.events),
            "alerts": len(woven.alerts),
        }
        head = ("knob", "rule", "state", "multiplier", "claim, bps", "e-process (20 reverts)", "reason")
        rows = [
            (b.detector_id, describe_braid(b.active()), b.state, ", ".join(f"{k.mult:.4f}" for k in b.patch.knobs),
             b.claim_bps, b.e_value, b.reason)
            for b in woven.braids
        ]  # fmt: skip
        return Made(len(woven.events), content, (self._bounded(ctx, night),), notes, TextTable(head, rows))

    def _bounded(self, ctx: StageContext, night: KnobRun) -> CheckOutcome:
        """Every multiplier lies within the bounds of one braid, and none acts without grade A or B."""
        top = ctx.manifest.weave.phi_step
        wide, ungraded = 0, 0
        for braid in night.woven.braids:
            limit = top**braid.cap_mult + SLACK
            wide += not all(1.0 / limit <= knob.mult <= limit for knob in braid.patch.knobs)
            ungraded += braid.in_force and braid.grade not in ("A", "B")
        text = f"{len(night.woven.braids)} braids; {wide} outside the bounds, {ungraded} acting without grade A or B"
        return CheckOutcome("bounded", wide + ungraded == 0, text, {"wide": wide, "ungraded": ungraded})

    def _hand_over(self, ctx: StageContext, day: str) -> None:
        """Write the registry and, when other braids act than before, put the new version in force; may be repeated."""
        woven, name, keys = self._night(ctx, day).woven, self.module.value, Keys(ctx.settings.keys_root)
        if not woven.braids and not woven.events and not woven.acts:
            return
        after = woven.priors
        with ctx.databases.connect(name) as connection:
            write_records(connection, name, ctx.branch, day, OUTCOME, {done.act.act_id: done for done in woven.acts})
            write_registry(connection, name, ctx.branch, day, woven.braids, woven.events, self._parents(ctx, day))
            tell_alerts(connection, ctx.branch, day, woven.alerts, after.priors_ver, keys, self.module)
            before = in_force_at(connection, ctx.branch, after.effective_from_ms - 1, name)
            moved = before.braids != after.braids
            if moved:
                propose(connection, after, day, before.priors_ver, keys, self.module)
            brought = brought_by(connection, ctx.branch, after.effective_from_ms, name)
            in_force = brought is not None and brought[0] == after.priors_ver
        if moved and not in_force:
            hand_over(ctx.databases, after, keys, day_start_ms(next_day(day)), self.module)

    def _parents(self, ctx: StageContext, day: str) -> Sequence[Braid]:
        """Return sig's braids, of which compositions of this lane may be children, also once they are switched off."""
        before = day_before(ctx, day) if self.module is Module.TR else None
        return [] if before is None else sig_registry(ctx.sig, ctx.branch, before)

    def _night(self, ctx: StageContext, day: str) -> KnobRun:
        """Return the nightly run of `day`; the same inputs are learned and woven once."""
        inputs = self._lesson_inputs(ctx, day)
        words = [word for name in sorted(inputs) for word in (name, inputs[name])]
        key = (self.module.value, ctx.branch, day, ctx.manifest.version, *words)
        return ctx.recent.get(_NIGHTS, key, lambda: self._learn(ctx, day))

    def _learn(self, ctx: StageContext, day: str) -> KnobRun:
        previous, name = self._previous(ctx, day), self.module.value
        with ctx.databases.connect(name) as connection:
            registry = read_registry(connection, name, ctx.branch, day)
            memory = self._memory(ctx, day, read_records(connection, name, ctx.branch, self._before(ctx, day), NIGHT))
        scores = self._scores(ctx, next_day(day), ctx.manifest.learning.search_days)
        keys, swap, other = self.keys(), swap_ms(ctx, day), self.other(ctx, day)
        kept = self._kept(ctx, day)
        acts = self._acts(ctx, day)
        evidence = KnobEvidence(scores, day, keys, previous, registry, swap, other, kept, acts)
        return learn_knobs(evidence, ctx.manifest, memory)

    def _acts(self, ctx: StageContext, day: str) -> tuple[ReviewAct, ...]:
        """Return the acts of reviewers that the run of the day takes up."""
        with ctx.databases.connect(self.module.value) as connection:
            return waiting_reviews(connection, ctx.branch, day, self.module.value)

    def _kept(self, ctx: StageContext, day: str) -> StoredSums:
        """Return the sums of the days that the run reads, without those of others."""
        commits = commits_before(ctx, self.evidence.name, next_day(day), ctx.manifest.learning.search_days)
        contents = {commit.day: commit.content_hash for commit in commits}
        state = LearnerState(ctx.settings.home, ctx.branch, self.module.value, ctx.settings.lake_root)
        state.keep(contents)
        return StoredSums(state, contents)

    def _previous(self, ctx: StageContext, day: str) -> PriorsVersion:
        """Return the version that the nightly run's one follows."""
        with ctx.databases.connect(self.module.value) as connection:
            return in_force_at(connection, ctx.branch, swap_ms(ctx, day) - 1, self.module.value)

    def _before(self, ctx: StageContext, day: str) -> str:
        return day_before(ctx, day) or ""

    def _memory(self, ctx: StageContext, day: str, records: Mapping[str, object]) -> KnobMemory:
        """Return what the run before left; raises `BeliefError` when it was committed and its record is not there."""
        if NIGHT in records:
            body = cast(Mapping[str, Any], records[NIGHT])
            return from_body({**body, "slots": to_plain(both_slots(body["slots"]))}, KnobMemory)
        before = read_commit(ctx.sig, ctx.branch, self._before(ctx, day), self.lessons)
        if before is not None and before.notes["notes"].get("learning_days"):
            cause = f"materialise {self.lessons}[{before.day}] again"
            raise BeliefError(f"{self.module} has no record of the nightly run of {before.day}", "what it left", cause)
        return KnobMemory()


def _verdicts(night: KnobRun) -> dict[str, int]:
    """Return how many compositions across modules are judged, and what became of them tonight; nothing without any."""
    ends = ("running", "promoted", "refused")
    return {f"compositions_{end}": sum(c.verdict == end for c in night.across) for end in ends} if night.across else {}
