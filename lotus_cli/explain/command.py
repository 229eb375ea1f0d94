"""`lotus explain`: the way from a published number back to raw frames, every stored number recomputed on the way."""

import math
from collections.abc import Mapping
from typing import Any

import click

from lotus.errors import LotusError
from lotus_cli.terminal.output import CHECK_FAILED, emit
from lotus_cli.terminal.places import at_tape, settings_of
from lotus_cli.terminal.progress import Progress
from lotus_cli.terminal.tables import fitted, width
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.facts.book import VIEWS, BookStory, book_lines, book_story
from lotus_store.facts.braids import trust_words
from lotus_store.facts.claims import claims_lines
from lotus_store.facts.event import Story, story_of
from lotus_store.facts.execution import execution_lines

_FILLED = {"tape_sim": "against the tape", "venue": "at a venue", "paper_live": "on paper"}
WHOLE = ("fired", "published", "cond_key")  # masks, flags and hashes are not decimals


@click.command("explain")
@click.argument("name")
@at_tape
def explain_command(name: str, tape: str | None, home: str | None, as_json: bool) -> None:
    """Explain an event, or the event behind a fill, order or plan: score, terms, braids that fired, lessons, days and
    windows that taught them, how it was executed, raw frames. Behind a fill, order, plan or decision of the book: the
    ticket, its targets, and the heaviest views each as an event.

    Exit code 1 when a recomputed number has other bits than the stored one.
    """
    settings = settings_of(home, tape)
    with Progress(quiet=as_json) as progress:
        progress("opening the ledger", 0)
        with Databases(settings) as databases:
            book = book_story(databases, name)
            if book is None:
                story = story_of(settings, databases, name, progress)
                facts, lines, exact = story.as_json(), [text_of(story)], story.explanation.exact
            else:
                stories, lacking = _views(settings, databases, book, progress)
                facts = {"book": book.as_json(), "events": [story.as_json() for story in stories], "lacking": lacking}
                lines = [*book_lines(book), *lacking, *(f"\n{text_of(story)}" for story in stories)]
                exact = all(story.explanation.exact for story in stories)
    emit(facts, as_json, fitted("\n".join(lines), "      "))
    raise SystemExit(0 if exact else CHECK_FAILED)


def _views(
    settings: Settings, databases: Databases, book: BookStory, progress: Progress
) -> tuple[list[Story], list[str]]:
    """Return the stories of the heaviest views of detectors, and why others have none."""
    stories: list[Story] = []
    lacking: list[str] = []
    for view in [view for view in book.views if view["source"].startswith("det:")][:VIEWS]:
        try:
            stories.append(story_of(settings, databases, view["event_id"], progress))
        except LotusError as problem:
            lacking.append(f"  no story of {view['event_id']}: {problem}")
    return stories, lacking


def text_of(story: Story) -> str:
    """Return the story as lines for a terminal."""
    e = story.event
    lines = [
        f"EVENT {e['event_id']}  branch {e['branch']}",
        f"  {e['detector_id']} v{e['spec_version']} on {e['asset']}, window ending {story.when}, s = {e['s']:+.3f}",
        f"  published: {'yes' if e['published'] else 'no'} (pi = {e['pi']:.4f}, draw = {e['draw']:.4f})"
        + (f"; vetoes: {', '.join(story.explanation.vetoes)}" if story.explanation.vetoes else ""),
        f"  context: {story.explanation.context}",
        "",
        "SCORE AND TERMS (recomputed; = has the stored bits)",
    ]
    for step in story.explanation.steps:
        mark = " " if step.stored is None else "=" if step.exact else "!"
        value = f"{step.value:>14.0f}" if step.name in WHOLE else f"{step.value:>+14.6f}"
        lines.append(f"  {mark} {step.section:<12} {step.name[:32]:<32} {value}   {step.text}")
    trace = story.explanation.trace
    (delta, phi), gates = trace.summed, f", their gates add {trace.gate:+.3f} to the logit" if trace.level else ""
    lines += [
        f"  sum checked: braids add {delta:+.6f} to theta and multiply phi by {phi:.6f}{gates}; "
        f"{'every stored number found again' if story.explanation.exact else 'A STORED NUMBER DIFFERS'}",
        "",
        _experts(story.experts),
        f"BELIEFS priors {e['priors_ver']}",
    ]
    for belief in story.beliefs:
        lines += _belief(belief)
    if not story.beliefs:
        lines.append("  no braid fired: the score is the detector's own")
    lines += claims_lines(story.claims)
    lines += ["", *_outcome(story.outcome), "", *execution_lines(story.execution), "", *_frames(story.frames)]
    return "\n".join(lines)


def _experts(gloss: dict[str, str]) -> str:
    since = f"in force from {gloss['from_day']}, judged on {gloss['judged_day']}" if gloss["from_day"] else "as shipped"
    return f"EXPERTS {gloss['experts_ver']} ({since})"


def realised_words(b: Mapping[str, Any]) -> str:
    """Return what a patch does to the logit (from `delta_realised`, `claimed_gain_bps`, `tilt_share`) in words."""
    low, median, high = b["delta_realised"]
    share = "" if b["tilt_share"] == 1.0 else f"; {b['tilt_share']:.0%} of its tilt, as grade {b['grade']} has it live"
    return (
        f"tilts the logit by {median:+.3f} (10 %: {low:+.3f}, 90 %: {high:+.3f}), "
        f"claims {b['claimed_gain_bps']:.3f} bps per unit of overlap weight{share}"
    )


def _belief(b: dict[str, Any]) -> list[str]:
    bound = math.copysign(1.0, b["uplift_bps"]) * b["lcb_bps"]
    lines = [
        f"  braid {b['braid_id']} ({b['state']}), rule: {b['rule']}",
        f"    patch: theta {b['theta_delta']:+.4f}, phi x{b['phi_mult']:.4f}{_trust(b)}; expires {b['expires']}",
        *(f"    {line} (nightly run of {b['trust']['night']})" for line in trust_words(b["trust"])),
        *([f"    {realised_words(b)}"] if any(b["delta_realised"]) else []),
        f"    lesson {b['lesson_id']}: {b['uplift_bps']:+.2f} bps, 95 % [{b['ci95'][0]:+.2f}, {b['ci95'][1]:+.2f}], "
        f"bound {bound:+.2f}, grade {b['grade']}; {b['trials']:,} rules were tried",
        "    taught by (windows in the rule, published, of these executed at a venue, mean score f over weight h):",
    ]
    lines += [
        f"      {d['day']}  {d['windows']:>6} windows  {d['published']:>4} published  {d['at_venue']:>4} at a venue  "
        f"{d['net_bps']:+8.2f} bps"
        for d in b["days"]
    ]
    return [*lines, f"    sample: {', '.join(b['sample'])}"]


def _trust(b: Mapping[str, Any]) -> str:
    return f", gate {b['gate']:+.3f} at level {b['level']}" if b["level"] else ""


def _outcome(outcome: dict[str, Any] | None) -> list[str]:
    if outcome is None:
        return ["OUTCOME not matured"]
    where = _FILLED.get(outcome["fill_source"], outcome["fill_source"])
    words = f"executed {where} Y {_bps(outcome['payoff_y'])}" if where else "not executed: it was not published"
    lines = [f"OUTCOME {outcome['status']}; modelled P {_bps(outcome['payoff_p'])}, {words}"]
    for h in sorted(outcome["horizons"], key=lambda h: int(h["horizon_s"])):
        lines.append(
            f"  {h['horizon_s']:>5} s  forward {_bps(h['fwd_ret_bps'])}  P {_bps(h['payoff_p'])}  "
            f"hit {'-' if h['hit'] is None or h['hit'] != h['hit'] else h['hit']}"
        )
    return lines


def _bps(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:+.2f} bps"


def _frames(f: dict[str, Any]) -> list[str]:
    if not f["lines"]:
        return [f"FRAMES {f['note']}"]
    lines = [
        f"FRAMES {f['frames']} frames of 200 ms, closed by lines {f['first_seq']}..{f['last_seq']} "
        f"of tape {f['tape']}, {f['day']}",
        *(f"  segment {s['path']} sha256 {s['sha256'][:16]}..." for s in f["segments"]),
    ]
    lines += [f"  {text}"[: width()] for text in f["lines"]]
    return lines
