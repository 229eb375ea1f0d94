"""`lotus atoms`: show the sums of scored days by condition; keep old ones coarser (rules are `atoms_compaction`)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import DAY, at_branch, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, folded, numbers, table, wide_option
from lotus_store.facts.words import day_ranges

if TYPE_CHECKING:
    from lotus_store.facts.atoms import Atoms

LEGEND = (
    "r: sum of scores above what the detector's own score told that day; h: sum of overlap weights. r/h is a raw mean "
    "and no profit: scores are demeaned inside each day, so over the bins of a feature r adds up to about nothing. It "
    "has no interval, and no price is taken for having looked at many conditions: of so many rows some look good by "
    "chance alone. Nothing here is a finding; `lotus lessons` shows what passed the test. Bins count from the lowest, "
    "0; d*x is x with the sign of the signal."
)


@click.group()
def atoms_command() -> None:
    """Sums of scored days: show them, compact old ones."""


@dataclass(frozen=True, slots=True)
class AtomsOptions:
    """Which sums `lotus atoms show` shows."""

    detector: str | None
    features: tuple[str, ...]
    first: str | None
    last: str | None
    wide: bool
    branch: str | None
    home: str | None
    as_json: bool


@atoms_command.command("show")
@click.option("--detector", help="Only this detector's, by every feature.")
@click.option("--feature", "features", multiple=True, help="By this feature; up to three, looked at together.")
@click.option("--from", "first", type=DAY, help="First day (default: the earliest).")
@click.option("--to", "last", type=DAY, help="Last day (default: the newest).")
@wide_option
@at_branch
@options_as(AtomsOptions)
def show(options: AtomsOptions) -> None:
    """Show the additive sums from which rules are judged, by detector and condition, over some days.

    A raw mean of them is described, not tested: it has no interval and pays for no search.
    """
    from lotus.priors.vocabulary import FEATURE_NAMES
    from lotus_store.facts.atoms import atoms_of

    strangers = [name for name in options.features if name not in FEATURE_NAMES]
    if strangers:
        raise ConfigError(f"no feature {strangers[0]!r}", f"one of {', '.join(FEATURE_NAMES)}")
    if len(set(options.features)) != len(options.features) or len(options.features) > 3:
        raise click.UsageError("--feature: up to three, each once")
    settings = settings_of_branch(options.home, branch=options.branch)
    atoms = atoms_of(settings, options.detector, options.features, options.first, options.last)
    emit(atoms.as_json(), options.as_json, _page(atoms, options.wide))


def _page(atoms: "Atoms", wide: bool) -> str:
    columns = (TableColumn("detector"), TableColumn("where", least=20),
               *numbers("published", "weight h", "sum r", "r/h, bps", "weight h, rest", "sum r, rest"))  # fmt: skip
    rows = [
        (c.detector_id, c.condition, f"{c.n:,}", f"{c.h:,.2f}", f"{c.r:+,.1f}", f"{c.raw_mean_bps:+.2f}",
         f"{c.rest_h:,.2f}", f"{c.rest_r:+,.1f}")
        for c in atoms.cells
    ]  # fmt: skip
    by = ", ".join(atoms.features) or "every feature by itself"
    head = f"ATOMS   branch {atoms.branch}, {day_ranges(atoms.days)}, by {by}: {len(rows)} conditions"
    return "\n".join([folded(head, "  "), "", table(columns, rows, wide), "", folded(LEGEND)])


@atoms_command.command("compact")
@at_branch
def compact(branch: str | None, home: str | None, as_json: bool) -> None:
    """Keep four blocks a day for the search window, one a day up to a year, then one a week.

    Dagster does it every Sunday. May be run at any time and again: nightly runs read none of this; a compacted day is
    made again from its scores when its lesson_atoms are materialised.
    """
    from lotus_assets.atoms_compaction import compact_branch
    from lotus_assets.bodies import stage_context
    from lotus_resources.lotus_resource import Lotus

    settings = settings_of_branch(home, branch=branch)
    lotus = Lotus.open(settings)
    try:
        with stage_context(lotus) as ctx:
            saved = compact_branch(ctx)
            facts = {"branch": ctx.branch, "days": list(saved.done.days), "weeks": list(saved.done.weeks)}
    finally:
        lotus.close()
    emit({**facts, "bytes_before": saved.bytes_before, "bytes_after": saved.bytes_after}, as_json, str(saved))
