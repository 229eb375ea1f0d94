"""Meta braids: compositions of micro braids that are fixed and counted at their start and judged out of sample.

Micro braids of one detector are clustered by shared axes: a cluster of interchangeable siblings may become a UNION, two
that co-occur an INTERSECT; siblings on several coins or detectors may be widened to all coins (`family`). From its
start on a candidate is a member of the nightly family and spends the same slots as rules do. It is promoted when, on
at least ten learning days after its start, it earns more than its best parent alone (a family: more than the
detector's own members as they are) with evidence beyond the night's bar; otherwise it is refused with the number, and
the refusal is kept.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal as OneOf

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import natural_id, round_learned
from lotus.learning.lanes import Both
from lotus.learning.members import Member, member_of
from lotus.learning.monitor import Blocks, variance_rate, watch_blocks
from lotus.learning.rows import DetectorRows
from lotus.manifest import LearningDefaults, WeaveDefaults
from lotus.priors.asset_context import ASSET
from lotus.priors.types import IDENTITY, Op, Rule
from lotus.timebase import DAY_MS
from lotus.weave.algebra import union_weights
from lotus.weave.braid import Braid, Quality, believed
from lotus.weave.composition import Parts, contrast_blocks, family_parts, parts_of
from lotus.weave.family import families, pooled_tilt, widened

CLAIM_SHRINK = 0.85  # winner's curse, as for lessons
MIN_SHARE = 0.02  # of the detector's windows on which both parents of an INTERSECT fire
Group = tuple[Op, tuple[Braid, ...]]
Place = tuple[str, str]  # a detector, and a braid
Verdict = OneOf["running", "promoted", "refused"]


@dataclass(frozen=True, slots=True)
class MetaCandidate:
    """A composition under judgement: what was fixed at its start, its blocks since, and the verdict so far.

    `parents` (best first), `parts` and `counted` (candidates ever started, itself included) are fixed on day `started`.
    `co_occurrence` is the share of the day's windows on which all parents fire; of a family, on which one of its own.
    """

    candidate_id: str
    detector_id: str
    op: Op
    parents: tuple[str, ...]
    parts: Parts
    co_occurrence: float
    started: str
    counted: int
    block_days: tuple[str, ...] = ()
    gain: tuple[float, ...] = ()
    weight: tuple[float, ...] = ()
    rest_gain: tuple[float, ...] = ()
    rest_weight: tuple[float, ...] = ()
    m_nats: float = -math.inf
    verdict: Verdict = "running"
    reason: str = ""

    @property
    def days(self) -> int:
        """Learning days out of sample."""
        return len(set(self.block_days))

    @property
    def blocks(self) -> Blocks:
        """Its blocks as arrays, in both lanes; lane F is empty where it was begun before there were two."""
        rest = Blocks(self.block_days, np.array(self.rest_gain), np.array(self.rest_weight))
        return Blocks(self.block_days, np.array(self.gain), np.array(self.weight), rest if self.rest_gain else None)


@dataclass(frozen=True, slots=True)
class MetaState:
    """Candidates that run, how many were ever started, and the names of those that ended."""

    running: tuple[MetaCandidate, ...] = ()
    started: int = 0
    closed: tuple[str, ...] = ()


def observed(state: MetaState, board: Sequence[Braid], today: Mapping[str, DetectorRows], day: str) -> MetaState:
    """Return the state with the blocks of a day later than each candidate's start and newest block."""
    return replace(state, running=tuple(_observed(c, board, today, day) for c in state.running))


def _observed(
    candidate: MetaCandidate, board: Sequence[Braid], today: Mapping[str, DetectorRows], day: str
) -> MetaCandidate:
    rows = today.get(candidate.detector_id)
    if rows is None or day <= max((candidate.started, *candidate.block_days)):
        return candidate
    others = believed(board, candidate.detector_id, candidate.parents)
    blocks = contrast_blocks(candidate.op, candidate.parts, others, rows)
    used = [i for i in range(len(blocks.day)) if blocks.weight[i] > 0.0]
    lanes = (blocks, blocks.rest or blocks)
    kept = [tuple(round_learned(x[used]).tolist()) for lane in lanes for x in (lane.gain, lane.weight)]
    return replace(
        candidate,
        block_days=(*candidate.block_days, *(blocks.day[i] for i in used)),
        gain=(*candidate.gain, *kept[0]),
        weight=(*candidate.weight, *kept[1]),
        rest_gain=(*candidate.rest_gain, *kept[2]),
        rest_weight=(*candidate.rest_weight, *kept[3]),
    )


def members(state: MetaState, settings: LearningDefaults) -> list[Member]:
    """Return what the candidates bring to the night's family."""
    return [
        member_of(c.candidate_id, c.block_days, Both(np.array(c.gain), _lane_f(c)), state.started, settings)
        for c in state.running
    ]


def _lane_f(candidate: MetaCandidate) -> NDArray[np.float64]:
    """Return D per block in lane F; zeros, which are no evidence, for one begun before there were two lanes."""
    known = len(candidate.rest_gain) == len(candidate.gain)
    return np.array(candidate.rest_gain) if known else np.zeros(len(candidate.gain))


def judged(
    state: MetaState, board: Sequence[Braid], critical: Both[float], learning: LearningDefaults, weave: WeaveDefaults
) -> tuple[MetaCandidate, ...]:
    """Return the running candidates with tonight's verdict; `critical` are the night's bars (+inf: no slot)."""
    acting = {b.braid_id for b in board if b.in_force}
    taken = {(b.detector_id, name) for b in board if b.braid_type == "meta" and b.in_force for name in b.parents}
    out = []
    for candidate, member in zip(state.running, members(state, learning), strict=True):
        verdict, reason = _verdict(candidate, member.m, acting, taken, critical, weave)
        taken |= _places(candidate) if verdict == "promoted" else set()
        out.append(replace(candidate, m_nats=min(member.m), verdict=verdict, reason=reason))
    return tuple(out)


def _places(c: MetaCandidate) -> set[Place]:
    """Return which braids a composition would replace, and in which detector."""
    return {(c.detector_id, name) for name in c.parents}


def _verdict(
    c: MetaCandidate, m: Both[float], acting: set[str], taken: set[Place], critical: Both[float], weave: WeaveDefaults
) -> tuple[Verdict, str]:
    gone = sorted(set(c.parents) - acting)
    evidence = f"{c.days} days out of sample, evidence {m.day:.2f} and {m.rest:.2f} nats over the best parent"
    if gone:
        return "refused", f"parent {gone[0]} is no longer in force; {evidence}"
    if _places(c) & taken:
        return "refused", f"a parent acts through another composition; {evidence}"
    if c.days < weave.meta_days:
        return "running", f"{c.days} days after the start, {weave.meta_days} needed"
    bars = f"{critical.day:.2f} and {critical.rest:.2f}"
    if m.day > critical.day and m.rest > critical.rest:
        return "promoted", f"{evidence}, above {bars}"
    if c.days >= weave.meta_max_days:
        return "refused", f"{evidence}: not above the bar in {weave.meta_max_days} days"
    bar = "no slot tonight" if max(critical) == math.inf else f"not above {bars}"
    return "running", f"{evidence}: {bar}"


def started(
    state: MetaState,
    board: Sequence[Braid],
    masks: Mapping[str, NDArray[np.bool_]],
    day: str,
    with_families: bool = False,
) -> MetaState:
    """Return the state with the candidates that begin tonight, counted; `masks` bool [windows] of the day by braid.

    Families begin only `with_families`, where coins are context.
    """
    known = {c.candidate_id for c in state.running} | set(state.closed)
    running, count = list(state.running), state.started
    micro = [b for b in board if b.braid_type == "micro" and b.in_force and b.braid_id in masks]
    for op, group in (*_siblings(micro), *_pairs(micro, masks)):
        names = tuple(b.braid_id for b in group)
        name = natural_id("meta", op, *sorted(names))
        if name in known:
            continue
        count += 1
        both = float(np.mean(np.logical_and.reduce([masks[n] for n in names]))) if len(masks[names[0]]) else 0.0
        parts = parts_of(group, union_weights(group))
        running.append(MetaCandidate(name, group[0].detector_id, op, names, parts, both, day, count))
    for rule, group in families(micro) if with_families else ():
        names = tuple(b.braid_id for b in group)
        for detector in widened(group):
            name = natural_id("meta", "RULE", detector, *sorted(names))
            if name in known:
                continue
            count += 1
            own = [masks[b.braid_id] for b in group if b.detector_id == detector]
            share = float(np.mean(np.logical_or.reduce(own))) if len(own[0]) else 0.0
            parts = family_parts(rule, pooled_tilt(group), group, detector)
            running.append(MetaCandidate(name, detector, "RULE", names, parts, share, day, count))
    return replace(state, running=tuple(running), started=count)


def closed(state: MetaState, verdicts: Sequence[MetaCandidate]) -> MetaState:
    """Return the state without the candidates that ended."""
    running = tuple(c for c in verdicts if c.verdict == "running")
    ended = tuple(c.candidate_id for c in verdicts if c.verdict != "running")
    return replace(state, running=running, closed=(*state.closed, *ended))


def meta_braid(
    candidate: MetaCandidate, parents: Sequence[Braid], effective_from_ms: int, weave: WeaveDefaults
) -> Braid:
    """Return the active meta braid of a promoted candidate: its claim is what it earned over its best parent."""
    blocks, best = candidate.blocks, parents[0]
    lane = min((x for x in (blocks, blocks.rest) if x is not None), key=lambda x: abs(x.gain.sum() / x.weight.sum()))
    total = float(lane.weight.sum())
    uplift = float(round_learned(np.array([lane.gain.sum() / total]))[0])
    rate = variance_rate(lane, uplift)
    se = math.sqrt(rate / total)
    figures = round_learned(np.array([uplift - 1.96 * se, uplift + 1.96 * se, CLAIM_SHRINK * uplift]))
    low, high, claim = (float(x) for x in figures)
    life = weave.ttl_days + weave.extension_days
    bits = math.log2(max(2, candidate.counted))
    unit = max(math.sqrt(rate), 1e-9)
    quality = Quality(
        effect=abs(claim) / unit,
        mdl=weave.lambda_mdl * bits,
        uncertainty=weave.lambda_unc * se / unit,
        support=weave.lambda_sup * math.log1p(min(p.support for p in parents)),
    )
    return Braid(
        braid_id=natural_id("braid", best.branch, candidate.candidate_id, effective_from_ms),
        branch=best.branch,
        braid_type="meta",
        detector_id=candidate.detector_id,
        horizon_s=best.horizon_s,
        rule=Rule(),
        sign=1,
        lesson_id=best.lesson_id,
        grade=max(p.grade for p in parents),
        claim_bps=claim,
        lcb_bps=low,
        ci95=(low, high),
        support=min(p.support for p in parents),
        quality=quality,
        target=IDENTITY,
        patch=IDENTITY,
        delta_wanted=0.0,
        delta_realised=(0.0, 0.0, 0.0),
        state="active",
        reason=candidate.reason,
        effective_from_ms=effective_from_ms,
        expires_at_ms=effective_from_ms + weave.ttl_days * DAY_MS,
        members_sample=best.members_sample,
        parents=candidate.parents,
        op=candidate.op,
        scope=best.scope,
        weights=candidate.parts.weights if candidate.op == "UNION" else (),
        mdl_bits=bits,
        monitor=watch_blocks(1, claim, uplift, blocks, life, max(candidate.block_days)),
    )


def _siblings(micro: Sequence[Braid]) -> list[Group]:
    """Return the clusters of same-signed braids of one detector connected by shared features, best first."""
    left, out = sorted(micro, key=lambda b: b.braid_id), list[Group]()
    while left:
        cluster = [left.pop(0)]
        while edge := [b for b in left if any(_shares(b, c) for c in cluster)]:
            left = [b for b in left if b not in edge]
            cluster += edge
        if len(cluster) > 1:
            out.append(("UNION", _best_first(cluster)))
    return out


def _pairs(micro: Sequence[Braid], masks: Mapping[str, NDArray[np.bool_]]) -> list[Group]:
    """Return the pairs of braids of one detector that fire together on enough windows, best first."""
    out = list[Group]()
    for first, second in combinations(sorted(micro, key=lambda b: b.braid_id), 2):
        same = first.detector_id == second.detector_id
        if same and len(masks[first.braid_id]) and np.mean(masks[first.braid_id] & masks[second.braid_id]) >= MIN_SHARE:
            out.append(("INTERSECT", _best_first([first, second])))
    return out


def _shares(first: Braid, second: Braid) -> bool:
    alike = (first.detector_id, first.sign) == (second.detector_id, second.sign)
    axes = ({x.feature for x in braid.rule.literals} - {ASSET} for braid in (first, second))
    return alike and bool(set.intersection(*axes))


def _best_first(group: Sequence[Braid]) -> tuple[Braid, ...]:
    return tuple(sorted(group, key=lambda b: (-abs(b.claim_bps), b.braid_id)))
