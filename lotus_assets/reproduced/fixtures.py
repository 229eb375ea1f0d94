"""A fixture bundle made again from raw tape, in a home of its own that is removed afterwards.

Every stage of every day of the chain runs anew, oldest day first, and is compared as soon as it is done: the first
difference ends it. Raw tape that is no longer there, or is another, is named before anything runs. (Literature:
reproducible builds.)
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lotus.errors import ConfigError
from lotus.governance.fixture_bundle import BundleTable, FixtureBundle, RawSegment, first_difference
from lotus_assets.bodies import stage_context
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.governance.governance_day import NAME, code_of_day, stages_before
from lotus_assets.stages.order import STAGES
from lotus_assets.stages.runner import branch_of, run_stage
from lotus_resources.lotus_resource import Lotus
from lotus_store.build import git_sha, lock_sha256
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.fixture_bundles import StoredBundle, bundle_chain, bundles_like
from lotus_store.ledger.outside_rows import carry_outside
from lotus_store.tape.store import TapeStore

Hears = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class VerifiedFixtures:
    """What came of it: `difference` in words ("" for none), `pruned` raw segments, `others` that explain a difference.

    `tables` of `days` were made again and are equal; `outside` rows of daemons, venues and people were taken over.
    """

    fixtures_hash: str
    days: int
    tables: int
    difference: str
    pruned: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    outside: int = 0

    @property
    def is_equal(self) -> bool:
        """Whether every table was made again and is the same."""
        return not self.difference and not self.pruned


@dataclass(slots=True)
class _Counted:
    """What was compared so far."""

    days: int = 0
    tables: int = 0
    outside: int = 0


def verify_fixtures(settings: Settings, name: str, hears: Hears = lambda _: None) -> VerifiedFixtures:
    """Make the tables of a bundle again and compare them; `name` is its hash or the beginning of it.

    `hears` is called with each day, in words. Raises `ConfigError` for a bundle that is unknown or ambiguous, and
    for one that stands on an unknown one.
    """
    with Databases(settings) as databases:
        with databases.connect("sig") as sig:
            whole = _named(bundles_like(sig, name), name)
            chain = bundle_chain(sig, whole)
        newest = chain[-1].bundle
        at = replace(settings, branch=newest.branch, tape=newest.tape)
        if chain[0].bundle.parent:
            found = f"bundle {chain[0].bundle.parent} before {chain[0].bundle.day} is not in the ledger"
            raise ConfigError(found, "every learning day before it", "a ledger that was restored in part")
        others, pruned = _others(at, chain[-1]), _pruned(TapeStore(at.home, at.tape), [one.bundle for one in chain])
        if pruned:
            return VerifiedFixtures(whole, 0, 0, "", tuple(pruned), others)
        counted = _Counted()
        folder = Path(tempfile.mkdtemp(prefix="fixtures-", dir=at.home))
        try:
            difference = _made_again(at, folder, databases, [one.bundle for one in chain], counted, hears)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return VerifiedFixtures(whole, counted.days, counted.tables, difference, (), others, counted.outside)


def _named(found: Sequence[tuple[str, str, str]], name: str) -> str:
    """Return the whole hash of the one bundle that begins so."""
    if len(found) != 1:
        shown = ", ".join(f"{one[:16]} of {day} on {branch}" for one, branch, day in found[-3:]) or "none"
        raise ConfigError(
            f"{len(found)} bundles begin with {name!r}: {shown}",
            "one that `lotus fixtures list` shows",
            "a misspelt hash",
        )
    return found[0][0]


def _others(settings: Settings, stored: StoredBundle) -> tuple[str, ...]:
    """Return in words what is other now than when the bundle was made."""
    now = {
        "code": (stored.bundle.code_ver, code_of_day()),
        "settings": (stored.bundle.manifest_ver, settings.manifest.version),
        "commit": (stored.git_sha, git_sha()),
        "libraries": (stored.lock_sha256, lock_sha256()),
    }
    return tuple(f"{what} {was[:12]}, now {is_[:12]}" for what, (was, is_) in now.items() if was != is_)


def _pruned(tape: TapeStore, chain: Sequence[FixtureBundle]) -> list[str]:
    """Return in words the raw segments of a chain that are gone or hold other lines."""
    out = []
    for bundle in chain:
        there = {meta.name: meta.content_sha256 for meta in tape.segments(bundle.day)} if tape.has(bundle.day) else {}
        out += [_gone(bundle.day, raw, there.get(raw.name)) for raw in bundle.raw if there.get(raw.name) != raw.sha256]
    return out


def _gone(day: str, raw: RawSegment, found: str | None) -> str:
    return f"{day}/{raw.name} {'was pruned' if found is None else f'is {found[:12]}, not {raw.sha256[:12]}'}"


def _made_again(
    settings: Settings, folder: Path, source: Databases, chain: Sequence[FixtureBundle], counted: _Counted, hears: Hears
) -> str:
    """Run every stage of a chain in a home of its own; return the first difference in words."""
    alone = replace(settings, home=folder, server_dsn="", dsns={})
    alone.tape_root.parent.mkdir(parents=True, exist_ok=True)
    alone.tape_root.symlink_to(settings.tape_root, target_is_directory=True)
    lotus = Lotus.open(alone)
    try:
        with stage_context(lotus) as ctx:
            after = ""
            for bundle in chain:
                counted.outside += carry_outside(source, lotus.databases, bundle.branch, after, bundle.day)
                difference = _day_again(ctx, bundle, counted)
                if difference:
                    return difference
                counted.days += 1
                hears(f"{bundle.day}: {len(bundle.tables)} tables equal")
                after = bundle.day
    finally:
        lotus.close()
    return ""


def _day_again(ctx: StageContext, bundle: FixtureBundle, counted: _Counted) -> str:
    """Run the stages of a day and compare each; then the stage that names them, for the days after it."""
    expected = {table.stage: table for table in bundle.tables}
    for name, _ in (*stages_before(), (NAME, False)):
        result = run_stage(ctx, STAGES[name], bundle.day)
        if result.failed_checks:
            check = result.failed_checks[0]
            return f"{name}[{bundle.day}] does not pass its check {check.name}: {check.text}"
        if name in expected:
            one = replace(bundle, tables=(expected[name],))
            difference = first_difference(one, [BundleTable(branch_of(ctx, STAGES[name]), name, result.content_hash)])
            if difference:
                return difference
            counted.tables += 1
    return ""
