"""`lotus card`: what a detector is, from its specification."""

from dataclasses import asdict

import click

from lotus.errors import ConfigError
from lotus_cli.output import emit, explained, json_option


@click.command("card")
@click.argument("detector_id", required=False)
@json_option
@explained
def card_command(detector_id: str | None, as_json: bool) -> None:
    """Show one detector's specification, or the names of all."""
    from lotus.detectors.registry import shipped_detectors

    known = {d.detector_id: d for d in shipped_detectors()}
    if detector_id is None:
        emit({name: f"{d.family} v{d.version}, decides over {d.horizon_s} s" for name, d in known.items()}, as_json)
        return
    if detector_id not in known:
        raise ConfigError(f"there is no detector {detector_id!r}", f"one of {', '.join(known)}")
    emit(asdict(known[detector_id]), as_json)
