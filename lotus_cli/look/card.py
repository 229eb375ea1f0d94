"""`lotus card`: the newest stored card of a detector, or its specification while no day is committed."""

from dataclasses import asdict

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import COUNT, at_branch, require_branch, settings_of
from lotus_cli.terminal.tables import markdown


@click.command("card")
@click.argument("detector_id", required=False)
@click.option("--version", type=COUNT, help="Version of the specification (default: the newest).")
@at_branch
def card_command(
    detector_id: str | None, version: int | None, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Show the newest card of one detector, or the names of all; `card` of --json is the page as Markdown.

    Before the first committed day of the branch the card is the specification alone.
    """
    from lotus.detectors.cards.card import static_card
    from lotus.detectors.registry import scored_detectors
    from lotus_store.databases import Databases
    from lotus_store.facts.cards import (
        acts_reaching,
        experts_words,
        merged_days,
        rung_of,
        scoring_words,
        signatures,
        stored_cards,
    )
    from lotus_store.lake import Lake

    settings = settings_of(home, branch=branch)
    specs = {d.detector_id: d for d in scored_detectors(settings.manifest)}
    if detector_id is None:
        emit({name: f"{d.family} v{d.version}, decides over {d.horizon_s} s" for name, d in specs.items()}, as_json)
        return
    if detector_id in specs:
        require_branch(settings)
    lake = Lake(settings.lake_root)
    stored = stored_cards(lake, settings.branch, detector_id)
    has_nights, spec = bool(stored), specs.get(detector_id)
    if spec is not None and spec.version not in stored:
        stored[spec.version] = {"card": static_card(spec)}
    wanted = max(stored, default=0) if version is None else version
    if wanted not in stored:
        what = detector_id if version is None else f"{detector_id} v{version}"
        there = [f"version {number}" for number in sorted(stored)] or specs
        raise ConfigError(f"there is no card of {what} on branch {settings.branch}", f"one of {', '.join(there)}")
    shipped = asdict(spec) if spec is not None and spec.version == wanted else {}
    row, rung = stored[wanted], rung_of(lake, settings.branch, detector_id, wanted)
    text = markdown(merged_days(row["card"]))
    if rung:
        since = f"{rung['rung']} since {rung['entered']}; {rung['verdict']} (Monday {rung['day']})"
        text = f"{text.rstrip()}\n\nOn the ladder: {since}."
    signed, cost = list[str](), "What it costs is not measured: no night has run."
    if has_nights:
        with Databases(settings) as databases, databases.connect("sig") as sig:
            signed = signatures(acts_reaching(sig, settings.branch, detector_id))
            cost = scoring_words(sig, settings.branch, detector_id)
            cost = f"{cost} {experts_words(sig, settings.branch, len(specs))}"
    text = f"{text.rstrip()}\n\n{cost}"
    if signed:
        text = f"{text.rstrip()}\n\nSigned off by {'; '.join(signed)}."
    beside = {"ladder": rung, "signed_off": signed, "cost": cost}
    facts = {"detector_id": detector_id, "spec_version": wanted, **shipped, **row, **beside}
    emit(facts, as_json, text)
