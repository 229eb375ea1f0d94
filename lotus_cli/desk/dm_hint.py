"""`lotus dm hint` and `lotus dm withdraw`: a person tells the decision-maker what is expected, or takes it back.

A message each, carried by the daemon's Herald; what follows from it is the decision-maker's. Nothing is traded here.
"""

import re
from dataclasses import dataclass

import click

from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import NAME, Finite, at_branch, require_branch, settings_of

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Horizon(click.ParamType[int]):
    """A duration such as 90s, 5m, 4h or 1d, in whole seconds."""

    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds; another text is wrong usage."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([1-9][0-9]{0,8})([smhd])", value)
        if match is None:
            self.fail(f"found {value!r}; expected a number and a unit: 90s, 5m, 4h, 1d", param, ctx)
        return int(match[1]) * _SECONDS[match[2]]


@dataclass(frozen=True, slots=True)
class HintOptions:
    """What `lotus dm hint` is told."""

    coin: str
    side: str
    conviction: float
    horizon: int
    who: str
    note: str
    branch: str | None
    home: str | None
    as_json: bool


@click.command("hint")
@click.argument("coin")
@click.argument("side", type=click.Choice(["long", "short"]))
@click.option("--conviction", type=Finite(0.0, 1.0), required=True, help="How sure, 0 to 1.")
@click.option("--horizon", type=Horizon(), required=True, help="Over which time: 90s, 5m, 4h, 1d.")
@click.option("--who", type=NAME, required=True, help="Who expects it; its worth is earned under this name.")
@click.option("--note", default="", help="Free text, kept with the hint.")
@at_branch
@options_as(HintOptions)
def hint_command(options: HintOptions) -> None:
    """Tell the decision-maker that COIN is expected to rise (long) or fall (short).

    A daemon that trades takes it within five minutes or never. A new name counts little (reliability 0.1) until what it
    said came true; nobody can set that.
    """
    from lotus.decision.alphas import InputFilter
    from lotus.decision.policy.policy import shipped_policy
    from lotus_desk.safety.arming import wall_ms
    from lotus_herald.keys import Keys
    from lotus_modules.dm.hints import Hint, tell_hint
    from lotus_store.databases import Databases

    settings = settings_of(options.home, branch=options.branch)
    if settings.branch != "main":  # a daemon may trade there before anything was scored in batch
        require_branch(settings)
    coins = frozenset(asset.name for asset in settings.manifest.universe)
    input_filter = InputFilter(settings.branch, coins, shipped_policy().horizons)
    hint = Hint(
        who=options.who.strip(),
        coin=options.coin,
        sign=1 if options.side == "long" else -1,
        conviction=options.conviction,
        horizon_s=options.horizon,
        note=options.note,
    )
    with Databases(settings) as databases:
        view = tell_hint(databases, hint, input_filter, wall_ms(), Keys(settings.keys_root))
    receipt = {"id": view.event_id, "source": view.source, "branch": settings.branch}
    emit(receipt | {"valid_until_ms": view.valid_until_ms}, options.as_json)


@click.command("withdraw")
@click.argument("event_id", metavar="ID")
@click.option("--reason", default="withdrawn by hand", show_default=True, help="Why, kept with the view.")
@at_branch
def withdraw_command(event_id: str, reason: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """Take back the view ID: a hint, or a published window that the decision-maker still counts.

    What was decided on it stands; the next decision does without it.
    """
    from lotus_desk.safety.arming import wall_ms
    from lotus_herald.keys import Keys
    from lotus_modules.dm.hints import withdraw
    from lotus_store.databases import Databases

    settings = settings_of(home, branch=branch)
    with Databases(settings) as databases:
        formed_ms = withdraw(databases, settings.branch, event_id, reason, wall_ms(), Keys(settings.keys_root))
    emit({"id": event_id, "branch": settings.branch, "formed_ms": formed_ms, "reason": reason}, as_json)
