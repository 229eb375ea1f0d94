"""`lotus detector`: write a new detector's file, check one with its cost, memory, warm-up and sanity table, list, use.

A detector is data: `check` reads its file as the product does, and says where it is wrong, storing nothing; `use` puts
files before the running daemon.
"""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lotus.errors import ConfigError
from lotus.outcomes.sanity import ALL
from lotus_cli.look.detector_template import template
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.places import DAY, SECONDS, at_home, at_tape, settings_of, tape_of
from lotus_cli.terminal.tables import TableColumn, fitted, numbers, table, wide_option
from lotus_store.files import read_utf8

if TYPE_CHECKING:
    from lotus.detectors.spec import DetectorSpec
    from lotus_store.facts.detectors import Stretch

_SHOWN = (*numbers("horizon", "signals", "signed move, bps", "95 %", "hit"), TableColumn("verdict"),
          TableColumn("asset"), *numbers("cost, bps"))  # fmt: skip
_LISTED = (TableColumn("detector"), TableColumn("idea", least=24), TableColumn("status"), *numbers("horizon", "kr_rho"))


@click.group("detector")
def detector_command() -> None:
    """Detectors are files: write one, check it, list those that are shipped."""


@detector_command.command("new")
@click.argument("name")
@click.option("--family", help="Begin with the shipped detector of this family instead of the plain template.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=".", help="Folder to write to.")
@explained
def new_command(name: str, family: str | None, out: Path) -> None:
    """Write NAME.yaml, a commented detector that `lotus detector check` accepts."""
    text, path = template(name, family), out / f"{name}.yaml"
    if path.exists():
        raise ConfigError(f"{path} is there already", "a name without a file")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    click.echo(f"{path}: look at it with `lotus detector check {path}`")


@detector_command.command("list")
@wide_option
@json_option
@explained
def list_command(wide: bool, as_json: bool) -> None:
    """List the shipped detectors: family, status, horizon, complexity, idea. Only active ones are scored."""
    from lotus.detectors.registry import known_detectors

    rows = {d.detector_id: _row(d) for d in known_detectors()}
    lines = [(n, r["idea"], r["status"], f"{r['horizon_s']} s", f"{r['kr_rho']:.2f}") for n, r in rows.items()]
    emit(rows, as_json, table(_LISTED, lines, wide))


@detector_command.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--day", type=DAY, help="Measure on this day of the tape instead of a simulated stretch.")
@wide_option
@at_tape
def check_command(file: Path, day: str | None, wide: bool, tape: str | None, home: str | None, as_json: bool) -> None:
    """Read, type-check and compile FILE; print its cost, memory, warm-up, complexity and a sanity table."""
    from lotus.detectors.spec import parse_spec
    from lotus_store.facts.detectors import facts_of, simulated_stretch, tape_stretch

    spec = parse_spec(read_utf8(file), str(file))
    stretch: Stretch
    if day is not None or tape is not None:
        settings = settings_of(home, tape)
        store = tape_of(settings)
        chosen = day or (store.days() or [""])[-1]
        stretch = tape_stretch(store, chosen, settings.manifest)
    else:
        stretch = simulated_stretch()
    facts = facts_of(spec, stretch)
    text = _page(facts, wide)
    emit(facts, as_json, text if wide else fitted(text))


@detector_command.command("use")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--wait", "wait_s", type=SECONDS, default=10.0, show_default=True, help="Seconds.")
@at_home
def use_command(files: tuple[Path, ...], wait_s: float, home: str | None, as_json: bool) -> None:
    """Ask the running daemon to score the detectors of FILES as shadow detectors, and no others (no FILES: none).

    They are read and compiled here first; the daemon swaps them in between two frames and notes it in its tape. Its
    answer is waited for; without one in that time the command stays for the next daemon that runs.
    """
    from lotus.detectors.registry import scored_detectors
    from lotus_live.pipeline.shadows import read_shadows
    from lotus_store.databases import Databases
    from lotus_store.ledger.signals.live_log import SWAP_DETECTORS, command, command_result

    settings = settings_of(home)
    texts = [read_utf8(file) for file in files]
    shadows = read_shadows(texts, scored_detectors(settings.manifest), settings.manifest)
    with Databases(settings) as databases, databases.connect("sig", autocommit=True) as connection:
        number = command(connection, SWAP_DETECTORS, {"detectors": texts})
        until, answer = time.monotonic() + wait_s, None
        while (answer := command_result(connection, number)) is None and time.monotonic() < until:
            time.sleep(0.1)
    if answer is not None and "error" in answer:
        raise ConfigError(
            f"the daemon refused: {answer['error']}", "shadow detectors that it can run", "another release runs"
        )
    names = [trial.detector_id for trial in shadows]
    words = "no daemon has answered yet" if answer is None else "in force from the next frame on"
    text = f"command {number}: {', '.join(names) or 'no shadow detectors'}; {words}"
    emit({"command_id": number, "trials": names, "answer": answer}, as_json, text)


def _row(spec: "DetectorSpec") -> dict[str, Any]:
    return {
        "family": spec.family, "version": spec.version, "status": spec.status, "horizon_s": spec.horizon_s,
        "depth": spec.depth, "nodes": spec.nodes, "kr_rho": spec.rho, "idea": spec.idea,
    }  # fmt: skip


def _page(facts: Mapping[str, Any], wide: bool) -> str:
    lines = [f"{facts['detector_id']} v{facts['version']}: {facts['idea']}", ""]
    lines += [f"{name:<12} {facts[name]}" for name in ("complexity", "cost", "memory", "warm_up", "tape", "spoken")]
    if not facts["sanity"]:
        return "\n".join(lines)
    lines += ["", "Mid moves after a signal, in its direction (before costs; described, not tested):", ""]
    pooled = ALL if any(row["asset"] == ALL for row in facts["sanity"]) else facts["sanity"][0]["asset"]
    rows = [row for row in facts["sanity"] if wide or row["asset"] == pooled or math.isfinite(row["mean_low_bps"])]
    lines.append(table(_SHOWN, [_move(row) for row in rows], wide))
    silent = len(facts["sanity"]) - len(rows)
    if silent:
        lines.append(f"{silent} rows of single assets have too few signals for an interval (--wide shows them)")
    return "\n".join(lines)


def _move(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"{row['horizon_s']} s", f"{row['spoken']:,}", _short(row["mean_bps"], "+.2f"),
        "-" if math.isnan(row["mean_low_bps"]) else f"{row['mean_low_bps']:+.2f} to {row['mean_high_bps']:+.2f}",
        _short(row["hit"], ".2f"), row["verdict"], row["asset"], _short(row["cost_bps"], ".2f"),
    )  # fmt: skip


def _short(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)
