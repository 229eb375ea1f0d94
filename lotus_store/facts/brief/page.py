"""How the daily brief reads: sections of a sentence and a table, as Markdown and as one HTML page.

The page is whole in itself: styles in the line, no script, nothing that is fetched, so that a mail program shows it.
Every text is escaped, for names and reasons come from others. No facts are gathered here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from lotus.learning.lesson import Lesson
from lotus.priors.asset_context import describe_with
from lotus.priors.trace import describe_braid
from lotus.trading.accounts.belief_money import BeliefMoney
from lotus.weave.braid import Braid
from lotus_store.facts.brief.day import Brief
from lotus_store.facts.brief.exploration import Bill
from lotus_store.facts.brief.governed import kpi_rows
from lotus_store.facts.brief.line import Colour
from lotus_store.facts.lessons import Night, signed_bound
from lotus_store.facts.words import clock

MOST = 20  # refusals and alarms that are listed
MARKS = {Colour.GOOD: "ok", Colour.LOOK: "look", Colour.ACT: "ACT"}
_INK = {Colour.GOOD: "#1b6e3a", Colour.LOOK: "#8a5a00", Colour.ACT: "#a3182a"}
_BODY = "font:15px/1.45 -apple-system,'Segoe UI',Helvetica,Arial,sans-serif;color:#1c1c1c;background:#ffffff"
_CELL = "padding:4px 10px 4px 0;border-bottom:1px solid #e3e3e3;vertical-align:top"
_HEAD = f"{_CELL};text-align:left;color:#5c5c5c;font-weight:normal"


@dataclass(frozen=True, slots=True)
class BriefSection:
    """A title, a sentence and a table of texts; `right` are the numbers of the columns of figures."""

    title: str
    sentence: str
    header: tuple[str, ...] = ()
    rows: Sequence[Sequence[str]] = ()
    right: frozenset[int] = frozenset()


def title_of(brief: Brief) -> str:
    """Return the sentence that answers whether all is well."""
    waiting = [line for line in brief.lines if line.colour is not Colour.GOOD]
    urgent = sum(line.colour is Colour.ACT for line in waiting)
    if not waiting:
        return "Everything is as it should be"
    return f"{len(waiting)} of {len(brief.lines)} lines are not green" + (f", {urgent} to act on" if urgent else "")


def sections(brief: Brief) -> list[BriefSection]:
    """Return the sections in the order in which they are read."""
    return [
        *([_to_do(brief)] if any(line.colour is not Colour.GOOD for line in brief.lines) else []),
        _checklist(brief),
        _believed(brief.night),
        _refused(brief.learned),
        *(_money(days, money) for days, money in brief.money.items()),
        *([] if brief.bill is None else [_bill(brief.bill)]),
        *([_helps(brief)] if brief.governed.kpis else []),
        *([_week(brief)] if brief.week else []),
        *(BriefSection(x.title, x.sentence, x.header, x.rows) for x in brief.governed.week),
        _data(brief),
        *([_alarms(brief)] if brief.alarms else []),
    ]


def markdown(brief: Brief) -> str:
    """Return the brief as Markdown."""
    lines = [f"# {_plain(_name(brief))}", "", f"**{title_of(brief)}.**"]
    for section in sections(brief):
        lines += ["", f"## {section.title}", "", _plain(section.sentence)]
        if section.rows:
            bars = ["---:" if k in section.right else "---" for k in range(len(section.header))]
            table = [section.header, bars, *([_plain(cell) for cell in row] for row in section.rows)]
            lines += ["", *("| " + " | ".join(row) + " |" for row in table)]
    return "\n".join(lines) + "\n"


def html(brief: Brief) -> str:
    """Return the brief as one HTML page."""
    parts = [f'<p style="color:#5c5c5c;margin:0">{escape(_name(brief))}</p>']
    parts.append(f'<h1 style="font-size:24px;margin:2px 0 18px">{escape(title_of(brief))}</h1>')
    for section in sections(brief):
        parts.append(f'<h2 style="font-size:17px;margin:26px 0 4px">{escape(section.title)}</h2>')
        parts.append(f'<p style="margin:0 0 8px">{escape(section.sentence)}</p>')
        parts += _table(section) if section.rows else []
    narrow = '<meta name="viewport" content="width=device-width,initial-scale=1">'
    head = f'<head><meta charset="utf-8">{narrow}<title>{escape(_name(brief))}</title></head>'
    inner = f'<div style="max-width:900px;margin:0 auto;padding:20px">{"".join(parts)}</div>'
    return f'<!DOCTYPE html>\n<html lang="en">{head}<body style="margin:0;{_BODY}">{inner}</body></html>\n'


def _name(brief: Brief) -> str:
    return f"Lotus brief, {brief.day}, branch {brief.branch}, tape {brief.tape}"


def _plain(text: str) -> str:
    """Return a text of others as Markdown shows it: one line, nothing of it read as markup."""
    line = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#!~" else c for c in line if c.isprintable())


def _table(section: BriefSection) -> list[str]:
    rows = ["<tr>" + "".join(_cell(section, k, cell) for k, cell in enumerate(row)) + "</tr>" for row in section.rows]
    head = "".join(
        f'<th style="{_HEAD}{_side(section, k)}">{escape(name)}</th>' for k, name in enumerate(section.header)
    )
    style = "border-collapse:collapse;width:100%;min-width:560px;font-size:14px"
    table = f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return [f'<div style="overflow-x:auto">{table}</div>']


def _cell(section: BriefSection, column: int, text: str) -> str:
    ink = next((f";color:{_INK[c]};font-weight:bold" for c, mark in MARKS.items() if column == 0 and text == mark), "")
    return f'<td style="{_CELL}{_side(section, column)}{ink}">{escape(text)}</td>'


def _side(section: BriefSection, column: int) -> str:
    return ";text-align:right;font-variant-numeric:tabular-nums" if column in section.right else ""


def _to_do(brief: Brief) -> BriefSection:
    """Return what is not green, most urgent first: what was found, and the one command that shows more or acts."""
    waiting = [line for line in brief.lines if line.colour is not Colour.GOOD]
    waiting.sort(key=lambda line: line.colour is not Colour.ACT)
    rows = [(MARKS[x.colour], x.command, f"{x.question} {x.answer}") for x in waiting]
    return BriefSection("What to do", "One command a line, the most urgent first.", ("", "run", "because"), rows)


def _helps(brief: Brief) -> BriefSection:
    sentence = (
        "Sums over the last 30 learning days, with 95 % intervals over days; below five days none is known. Lives of "
        "beliefs are counted from the first, CPU time is that of the learning stages."
    )
    header = "number", "value", "95 %", "n", "unit"
    return BriefSection("Does learning help?", sentence, header, kpi_rows(brief.governed.kpis), frozenset({1, 2, 3}))


def _checklist(brief: Brief) -> BriefSection:
    rows = [(MARKS[x.colour], x.question, x.answer, x.command) for x in brief.lines]
    sentence = "Each line is ok, to look at, or to act on; the command shows more."
    return BriefSection("Is everything all right?", sentence, ("", "question", "answer", "command"), rows)


def _believed(night: Night) -> BriefSection:
    sentence = "Nothing is believed: every score is the detector's own."
    if night.beliefs:
        sentence = (
            "Uplift is what a window of the rule paid over what its score alone told, net of costs; the bound is what "
            "is left of it after the search among all rules."
        )
    header = "detector", "where", "uplift, bps", "95 %", "bound", "grade", "level", "e-value against", "days left"
    rows = [_belief(night, braid, lesson) for braid, lesson in night.beliefs]
    return BriefSection(f"Believed now: {len(rows)}", sentence, header, rows, frozenset({2, 3, 4, 6, 7, 8}))


def _belief(night: Night, braid: Braid, lesson: Lesson | None) -> tuple[str, ...]:
    left = night.days_left(braid)
    found = ("", "", "")
    if lesson is not None:
        found = f"{lesson.uplift_bps:+.2f}", _reach(lesson.ci95), f"{signed_bound(lesson):+.2f}"
    where = describe_braid(braid.active(), night.words)
    ends = "no end" if left is None else str(left)
    return braid.detector_id, where, *found, braid.grade, str(braid.level), f"{braid.e_value:.2f}", ends


def _refused(night: Night) -> BriefSection:
    header = "detector", "where", "uplift, bps", "95 %", "evidence, nats", "the number that failed"
    refused = sorted(night.refused, key=lambda x: -x.m_nats) if night.look.get("looked") else []
    rows = [
        (
            x.detector_id, describe_with(x.rule, night.words), f"{x.uplift_bps:+.2f}", _reach(x.ci95),
            f"{x.m_nats:.2f}", x.reason,
        )
        for x in refused[:MOST]
    ]  # fmt: skip
    day, rest = night.needed_nats
    sentence = "Nothing came near." if night.look.get("looked") else "This nightly run did not look for lessons."
    if rows:
        sentence = f"Needed were {day:.2f} nats against the same day and {rest:.2f} against the rest of the day."
    if len(refused) > MOST:
        sentence += f" The {MOST} with most evidence: lotus lessons --refused lists all."
    title = f"Refused in the nightly run of {night.day}: {len(refused)}"
    return BriefSection(title, sentence, header, rows, frozenset({2, 3, 4}))


def _money(days: str, money: BeliefMoney) -> BriefSection:
    header = "style", "windows without", "USD", "windows with", "USD", "gain, USD", "95 %"
    rows = [
        (
            style.style, f"{style.without.windows:,}", f"{style.without.usd:+.2f}", f"{style.with_beliefs.windows:,}",
            f"{style.with_beliefs.usd:+.2f}", f"{style.gain_usd:+.2f}",
            "too few blocks" if style.gain_interval is None else _reach(style.gain_interval),
        )
        for style in money.styles
    ]  # fmt: skip
    sentence = (
        f"The same draws with beliefs and without them, probes of {money.probe_usd:,.0f} USD against the tape after "
        f"all costs; beliefs moved {money.moved:,} windows."
    )
    return BriefSection(f"Money, {days}", sentence, header, rows, frozenset(range(1, 7)))


def _bill(bill: Bill) -> BriefSection:
    header = "detector", "where", "state", "drawn", "of", "in these days", "USD", "e-value against"
    rows = [
        (x["detector_id"], x["rule"], x["found"] or "runs", f"{x['drawn']:.1f}", f"{x['budget']:.0f}",
         f"{x['publications']:.1f}", f"{x['usd']:+.2f}", f"{x['e_against']:.2f}")
        for x in bill.rows
    ]  # fmt: skip
    sentence = (
        f"{bill.publications:.1f} publications more than the scores alone would draw, expected over their "
        f"propensities; by the modelled payoff of each they pay {bill.usd:+.2f} USD."
    )
    return BriefSection(
        f"Exploration, {bill.days or 'no day has matured'}", sentence, header, rows, frozenset(range(3, 8))
    )


def _week(brief: Brief) -> BriefSection:
    header = "nightly run", "rules tried", "found", "refused", "beliefs", "gain, USD", "data"
    rows = [
        (x.day, f"{x.tried:,}", str(x.found), str(x.refused), str(x.beliefs),
         "not scored" if x.gain_usd is None else f"{x.gain_usd:+.2f}", "none" if x.share is None else f"{x.share:.2%}")
        for x in brief.week
    ]  # fmt: skip
    gains = [x.gain_usd for x in brief.week if x.gain_usd is not None]
    found, refused = sum(x.found for x in brief.week), sum(x.refused for x in brief.week)
    sentence = (
        f"{found} lessons were accepted or proposed and {refused} refused; beliefs gained {sum(gains):+.2f} USD, "
        "each day by itself."
    )
    return BriefSection(f"The week: {len(rows)} nightly runs", sentence, header, rows, frozenset(range(1, 7)))


def _alarms(brief: Brief) -> BriefSection:
    rows = [
        (clock(x.time_ms)[:19].replace("T", " "), x.kind, x.found, x.done) for x in list(brief.alarms)[-MOST:][::-1]
    ]
    shown = f"The newest {MOST}, newest first." if len(brief.alarms) > MOST else "The newest first; times are UTC."
    return BriefSection(f"Alarms of the trader: {len(brief.alarms)}", shown, ("when", "what", "found", "done"), rows)


def _data(brief: Brief) -> BriefSection:
    header = "asset", "share of expected seconds", "minutes below 99 %", "gaps", "longest gap, s"
    rows = [
        (x.asset, f"{x.share:.2%}", str(x.short_minutes), str(x.gaps), f"{x.longest_gap_s:,.1f}") for x in brief.data
    ]
    sentence = "Seconds between messages within the gap limit, of those in which there should have been any."
    return BriefSection(
        "Data", sentence if rows else "There is no tape of the day.", header, rows, frozenset(range(1, 5))
    )


def _reach(interval: Sequence[float]) -> str:
    return f"{interval[0]:+.2f} to {interval[1]:+.2f}"
