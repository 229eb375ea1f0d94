"""`lotus review wish` and `lift`: small nudges of a coin's expectation for the decision-maker's overlay curator."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from lotus.decision.policy.policy import shipped_policy
from lotus.decision.wishes import MOST_DAYS, Wish
from lotus.errors import BeliefError
from lotus.timebase import next_day
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import DAY, Finite, at_branch, settings_of_branch
from lotus_herald.keys import Keys
from lotus_modules.dm.board import submit_wish
from lotus_modules.priors.rollback import LAST_STAGE
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.day_commits import committed_days


@dataclass(frozen=True, slots=True)
class WishOptions:
    """What `lotus review wish` is told."""

    coin: str
    log: float
    days: int
    first: str | None
    author: str
    reason: str
    branch: str | None
    home: str | None
    as_json: bool


@click.command("wish")
@click.argument("coin")
@click.option("--log", type=Finite(-0.1, 0.1), required=True, help="Logarithm of the factor, -0.1 to 0.1.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), required=True, help="After how many days it ends by itself.")
@click.option("--from", "first", type=DAY, help="First UTC day (default: the one after the last that was learned).")
@click.option("--author", required=True, help="Who wishes it.")
@click.option("--reason", required=True, help="Why, kept with the wish and told with every decision that heard it.")
@at_branch
@options_as(WishOptions)
def wish_command(options: WishOptions) -> None:
    """Wish that the book expects a little more (or less) of COIN, for some days.

    What COIN is expected to pay is multiplied by e^log; all wishes of a coin together stay within the policy's nudge.
    No wish turns a sign, raises a cap or makes a view where there is none.
    """
    settings = settings_of_branch(options.home, branch=options.branch)
    with Databases(settings) as databases:
        first = options.first or next_day(_last_day(databases, settings.branch))
        wish = Wish(
            act_id="",
            branch=settings.branch,
            coin=options.coin,
            log=options.log,
            author=options.author,
            reason=options.reason,
            from_day=first,
            until_day=next_day(first, options.days),
        )
        emit(asdict(_sent(databases, settings, wish)), options.as_json)


@click.command("lift")
@click.argument("act_id")
@click.option("--author", required=True, help="Who lifts it.")
@click.option("--reason", default="lifted", show_default=True, help="Why, kept with the act.")
@at_branch
def lift_command(act_id: str, author: str, reason: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """End the wish ACT_ID now: the next decision does without it."""
    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases:
        day = _last_day(databases, settings.branch)
        wish = Wish(
            act_id="",
            branch=settings.branch,
            coin="",
            log=0.0,
            author=author,
            reason=reason,
            from_day=day,
            until_day=day,
            lifts=act_id,
        )
        emit(asdict(_sent(databases, settings, wish)), as_json)


def wish_rows(acts: Sequence[Wish]) -> list[dict[str, Any]]:
    """Return the wishes among acts as plain values, each with who lifted it ("": nobody)."""
    lifted = {act.lifts: act.author for act in acts if act.lifts}
    return [asdict(act) | {"lifted_by": lifted.get(act.act_id, "")} for act in acts if not act.lifts]


def wish_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for every wish."""
    bound = shipped_policy().overlay.nudge
    head = [f"Wishes for the decision-maker (all of a coin together within {bound:g}):"] if rows else []
    return head + [
        f"  {row['act_id']}: {row['coin']} log {row['log']:+.4f} from {row['from_day']} until {row['until_day']} by "
        f"{row['author']}: {row['reason']}" + (f" (lifted by {row['lifted_by']})" if row["lifted_by"] else "")
        for row in rows
    ]


def _sent(databases: Databases, settings: Settings, wish: Wish) -> Wish:
    coins = tuple(asset.name for asset in settings.manifest.universe)
    return submit_wish(databases, wish, coins, Keys(settings.keys_root))


def _last_day(databases: Databases, branch: str) -> str:
    with databases.connect("sig") as sig:
        days = committed_days(sig, branch, LAST_STAGE)
    if not days:
        raise BeliefError(f"branch {branch} has no committed day", "a day after which a wish begins", "nothing learned")
    return days[-1]
