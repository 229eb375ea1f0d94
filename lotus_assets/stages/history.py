"""Earlier days of a branch as stages need them: committed days, their hashes, digests and scores, read once.

A day's digest or scores are kept in memory under the content hash of the files they came from, so a backfill reads
each day once. What is made of them is not known here.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from lotus.curation.act import CurationAct
from lotus.curation.at_once import VetoList
from lotus.detectors.audits.table import DETECTOR_AUDITS
from lotus.detectors.cards.card_table import DETECTOR_CARDS
from lotus.detectors.curators import CuratorInput
from lotus.detectors.daily.history import EVENT_COLUMNS, DayHistory, digest_day, eval_columns
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.stage_gate import StageGate
from lotus.errors import BeliefError
from lotus_assets.stages.chain import LAST_STAGE
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.shared_columns import read_shared
from lotus_resources.recent_values import RecentKind
from lotus_store.day_tables import read_curator_inputs, read_gates
from lotus_store.ledger.beliefs.acts import acts_on
from lotus_store.ledger.beliefs.detector_sets import detectors_ever, detectors_on
from lotus_store.ledger.day_commits import DayCommit, last_commits
from lotus_store.tape.listed_vetoes import read_veto_lists

T = TypeVar("T")


AUDIT_DAYS = 30
ACTS = "governance_acts"

_DIGESTS, _AUDITS = RecentKind("digests", 64), RecentKind("audits", 64)


def commits_before(ctx: StageContext, stage: str, day: str, last: int) -> list[DayCommit]:
    """Return the committed records of a stage on the branch before `day`, the newest `last`, oldest first."""
    return last_commits(ctx.sig, ctx.branch, stage, day, last)


def hashes(commits: Sequence[DayCommit]) -> Mapping[str, str]:
    """Return content hashes by stage and day, as inputs of a stage."""
    return {f"{c.stage}[{c.day}]": c.content_hash for c in commits}


def detectors_of(ctx: StageContext, day: str) -> tuple[DetectorSpec, ...]:
    """Return the detectors that are scored on a day of the branch, in order of detector_id: their index everywhere."""
    return detectors_on(ctx.sig, ctx.branch, day, ctx.manifest)


def detectors_of_branch(ctx: StageContext) -> tuple[DetectorSpec, ...]:
    """Return the detectors that are scored on the branch or were, in order of detector_id."""
    return detectors_ever(ctx.sig, ctx.branch, ctx.manifest)


def digests_before(
    ctx: StageContext, day: str, detectors: Sequence[DetectorSpec], last: int
) -> tuple[list[DayHistory], Mapping[str, str]]:
    """Return the digests of the committed days before `day`, oldest first, and the hashes of what they came from."""
    scored = commits_before(ctx, "signal_events", day, last)
    matured = {c.day: c for c in commits_before(ctx, "signal_eval", day, last)}
    out = [_digest(ctx, commit, matured.get(commit.day), detectors) for commit in scored]
    return out, {**hashes(scored), **hashes(list(matured.values()))}


def gates_before(ctx: StageContext, day: str, detectors: Sequence[DetectorSpec]) -> Mapping[str, StageGate]:
    """Return what the stages of life do to publication on `day`, by detector: those of the newest cards before it."""
    cards = commits_before(ctx, DETECTOR_CARDS.name, day, 1)
    return read_gates(ctx.lake, ctx.branch, cards[0].day, detectors) if cards else {}


def retired(gates: Mapping[str, StageGate]) -> frozenset[str]:
    """Return the detectors whose present version was deprecated or archived."""
    return frozenset(name for name, gate in gates.items() if gate is StageGate.CLOSED)


def audited_before(ctx: StageContext, day: str, detectors: Sequence[DetectorSpec]) -> Mapping[str, CuratorInput]:
    """Return what curators know on `day`: per detector version, the newest audit of an earlier day that spoke of it.

    A day too short to audit speaks of nobody, so what was known before it stands. Looks back `AUDIT_DAYS` days.
    """
    newest: dict[str, CuratorInput] = {}
    versions = {d.detector_id: d.version for d in detectors}
    for commit in reversed(commits_before(ctx, DETECTOR_AUDITS.name, day, AUDIT_DAYS)):
        for name, one in _audit_inputs(ctx, commit).items():
            if versions.get(name) == one.spec_version:
                newest.setdefault(name, one)
        if newest.keys() == versions.keys():
            break
    return newest


def acts_of_day(ctx: StageContext, day: str) -> list[CurationAct]:
    """Return the acts of governance in force on `day`.

    Raises `BeliefError` while the learning day before has not decided on its acts, where earlier ones have.
    """
    before, decided = (commits_before(ctx, stage, day, 1) for stage in (LAST_STAGE, ACTS))
    if before and decided and decided[0].day < before[0].day:
        found = f"{ACTS}[{before[0].day}] is not committed on {ctx.branch}"
        raise BeliefError(found, f"the acts of every day before {day}", f"materialise {ACTS}[{before[0].day}] first")
    return acts_on(ctx.sig, ctx.branch, day)


def vetoes_at_once(ctx: StageContext, day: str) -> list[VetoList]:
    """Return the lists of vetoes at once in the tape of `day`, empty where none of them is of the branch."""
    lists = read_veto_lists(ctx.lake, ctx.tape_branch, day)
    return lists if any(veto.branch == ctx.branch for one in lists for veto in one.vetoes) else []


def _audit_inputs(ctx: StageContext, audited: DayCommit) -> Mapping[str, CuratorInput]:
    return ctx.recent.get(
        _AUDITS, (audited.content_hash,), lambda: read_curator_inputs(ctx.lake, ctx.branch, audited.day)
    )


def _digest(
    ctx: StageContext, scored: DayCommit, matured: DayCommit | None, detectors: Sequence[DetectorSpec]
) -> DayHistory:
    key = (scored.content_hash, matured.content_hash if matured else "", *(d.spec_id for d in detectors))

    def make() -> DayHistory:
        events = read_shared(ctx, "signal_events", scored, EVENT_COLUMNS)
        outcomes = read_shared(ctx, "signal_eval", matured, eval_columns(detectors)) if matured else None
        return digest_day(scored.day, events, outcomes, ctx.manifest, ctx.manifest.universe, detectors)

    return ctx.recent.get(_DIGESTS, key, make)
