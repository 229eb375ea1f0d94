"""What is asked: the words of a command or a form as a change and the days it is asked of, everything named checked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus.counterfactual.change import NO_BELIEFS, PEOPLE, WhatIfChange, manifest_under
from lotus.curation.registry import SIG
from lotus.detectors.curators import CURATOR
from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.errors import ConfigError, LakeError
from lotus.experts.annotation_spec import EXPERTS
from lotus.hashing import natural_id
from lotus.priors.types import PriorsVersion
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import detectors_of_branch
from lotus_store.files import read_utf8
from lotus_store.ledger.beliefs.priors import in_force_on, read_version
from lotus_store.ledger.day_commits import DayCommit, committed_days, read_commit

LEAST_PREFIX = 6  # characters of a braid's name


@dataclass(frozen=True, slots=True)
class AskedWords:
    """The words of a what-if: days, version, who is left out, `key=value` settings and a specification's file."""

    first: str
    last: str
    priors: str = ""
    without: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    spec: Path | None = None


@dataclass(frozen=True, slots=True)
class WhatIfQuestion:
    """A change, the outcome days it is asked of, oldest first, and what it names; `question_id`: hash of all that."""

    change: WhatIfChange
    days: tuple[DayCommit, ...]
    other_priors: PriorsVersion | None
    spec: DetectorSpec | None
    question_id: str

    @property
    def first(self) -> str:
        """First day."""
        return self.days[0].day

    @property
    def last(self) -> str:
        """Last day."""
        return self.days[-1].day


def question_of(ctx: StageContext, words: AskedWords, simulates: bool) -> WhatIfQuestion:
    """Return the question of words; raises `ConfigError` for what does not exist, `LakeError` without outcomes."""
    if words.first > words.last:
        raise ConfigError(f"--from {words.first} is after --to {words.last}", "the earlier day first")
    names = [d for d in committed_days(ctx.sig, ctx.branch, "signal_eval") if words.first <= d <= words.last]
    commits = [commit for d in names if (commit := read_commit(ctx.sig, ctx.branch, d, "signal_eval")) is not None]
    if not commits:
        found = f"no outcomes from {words.first} to {words.last} on {ctx.branch}"
        raise LakeError(found, "days that signal_eval committed", "days without tape, or not yet run: lotus backfill")
    other = None if words.priors in ("", NO_BELIEFS) else read_version(ctx.sig, ctx.branch, words.priors)
    spec = _spec(ctx, words.spec)
    left = [_left_out(ctx, name, names) for name in words.without]
    change = WhatIfChange(
        priors=words.priors,
        braids=_of_kind(left, "braid"),
        experts=_of_kind(left, "expert"),
        curators=_of_kind(left, "curator"),
        settings=tuple(sorted(_setting(text) for text in words.settings)),
        spec="" if spec is None else f"{spec.detector_id} {spec.spec_id}",
    )
    manifest_under(change, ctx.manifest)
    identity = natural_id(
        "what_if", ctx.branch, json.dumps(change.as_json(), sort_keys=True), str(simulates),
        *(f"{c.day} {c.content_hash}" for c in commits),
    )  # fmt: skip
    return WhatIfQuestion(change, tuple(commits), other, spec, identity)


def _of_kind(left: Sequence[tuple[str, str]], kind: str) -> tuple[str, ...]:
    return tuple(sorted({name for its_kind, name in left if its_kind == kind}))


def _left_out(ctx: StageContext, name: str, days: Sequence[str]) -> tuple[str, str]:
    """Return the kind and the full name of who is left out; raises `ConfigError` for nobody."""
    curators = {role.actor for role in SIG} | {PEOPLE}
    if name in EXPERTS:
        return "expert", name
    for actor in (name, f"{CURATOR}{name}"):
        if actor in curators:
            return "curator", actor
    found = {
        b.braid_id
        for day in days
        for version in in_force_on(ctx.sig, ctx.branch, day)
        for b in version.braids
        if b.braid_id.startswith(name) and len(name) >= LEAST_PREFIX
    }
    if len(found) != 1:
        wanted = "one braid in force on these days (6 characters or more), an expert, a curator, or people"
        raise ConfigError(
            f"--without {name[:60]} names {len(found) or 'nobody'}", wanted, "lotus priors list shows braids"
        )
    return "braid", found.pop()


def _setting(text: str) -> tuple[str, Any]:
    key, sign, raw = text.partition("=")
    if not sign or not key.strip():
        raise ConfigError(f"--set {text[:60]}", "key=value, such as score.epsilon=0.05")
    try:
        value = json.loads(raw)
    except ValueError:
        raise ConfigError(f"--set {key}: {raw[:40]!r} is no value", "a number or a list of numbers") from None
    return key.strip(), value


def _spec(ctx: StageContext, path: Path | None) -> DetectorSpec | None:
    if path is None:
        return None
    spec = parse_spec(read_utf8(path), path.name)
    if spec.horizon_s not in ctx.manifest.outcomes.horizons_s:
        raise ConfigError(f"{path} decides on {spec.horizon_s} s", f"one of {ctx.manifest.outcomes.horizons_s}")
    if any(spec.spec_id == d.spec_id for d in detectors_of_branch(ctx)):
        raise ConfigError(f"{path} is the specification in force of {spec.detector_id}", "another one")
    return spec
