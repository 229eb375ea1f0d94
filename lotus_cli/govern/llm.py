"""`lotus llm`: what a model would be asked, one real request, what calls cost and what may still be spent."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.output import CHECK_FAILED, emit
from lotus_cli.terminal.places import COUNT, DAY, at_branch, settings_of, settings_of_branch, tape_option
from lotus_cli.terminal.tables import TableColumn, numbers, table

if TYPE_CHECKING:
    from lotus.coprocessor.model.port import Prompt
    from lotus_llm.model_port import ModelProposal
    from lotus_store.config import Settings

OFF = "no model is asked: [llm] mode is off"


@click.group("llm")
def llm_command() -> None:
    """A model behind one port: what it is asked, its sentences on lessons, what it cost. Off by default."""


@llm_command.command("check")
@click.option("--ask", is_flag=True, help="Send it: one request, and one more where the reply is refused.")
@click.option("--wanted", type=click.IntRange(1, 8), default=4, show_default=True, help="Specs to propose.")
@click.option("--idea", default="", help="A sentence of your own that is put into the prompt, marked as yours.")
@tape_option
@at_branch
def check(
    ask: bool, wanted: int, idea: str, tape: str | None, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Show exactly what a model would be sent, and send nothing; with --ask, send it and show what it proposes.

    Proposals are shown and not kept: nothing is scored, and no table but `llm_calls` and `llm_budget` changes.
    """
    from lotus_assets.coprocessor.asking import prompt_of

    settings = settings_of(home, tape, branch)
    prompt = prompt_of(settings, wanted, idea)
    if not ask:
        facts = _request(settings, prompt)
        emit(facts, as_json, _request_text(facts))
        return
    from lotus.detectors.registry import known_detectors
    from lotus_assets.coprocessor.asking import port_of
    from lotus_store.databases import Databases

    if settings.llm.mode == "off":
        raise ConfigError(OFF, 'mode = "live", url and model in [llm] of lotus.toml', "it is off by default")
    run = f"check {datetime.now(UTC).isoformat(timespec='milliseconds')}"
    with Databases(settings) as databases:
        proposal = port_of(settings, databases, run).propose(prompt, [d.detector_id for d in known_detectors()])
    found = _found(proposal)
    emit(found, as_json, _found_text(found))
    if not found["proposed"]:
        raise SystemExit(CHECK_FAILED)


@llm_command.command("calls")
@click.option("--limit", type=COUNT, default=20, show_default=True, help="The newest so many.")
@at_branch
def calls(limit: int, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show the newest calls of a model: how they ended, what they used and cost."""
    from lotus_store.databases import Databases
    from lotus_store.ledger.llm_calls import llm_calls_of

    settings = settings_of(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        rows = llm_calls_of(sig, settings.branch, limit)
    shown = [{**row, "called_at": row["called_at"].isoformat(timespec="seconds")} for row in rows]
    emit({"branch": settings.branch, "calls": shown}, as_json, _calls_text(shown))


@llm_command.command("budget")
@click.option("--release", "is_released", is_flag=True, help="Settle dead reservations at their worst.")
@at_branch
def budget(is_released: bool, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show what calls of a model may cost, and what is spent or reserved (all branches of this deployment).

    A process that was killed in a call leaves its reservation, and its request is refused from then on. With --release
    those older than half an hour are settled at their worst, and may be sent again: what was paid may be paid twice.
    """
    from lotus_store.databases import Databases
    from lotus_store.ledger.llm_calls import left_open, llm_spent, release

    settings = settings_of(home, branch=branch)
    llm = settings.llm
    with Databases(settings) as databases, databases.connect("sig", autocommit=True) as sig:
        dead = left_open(sig)
        released = release(sig, dead) if is_released else 0
        spent = llm_spent(sig)
    emit(
        {"mode": llm.mode, "usd_month": llm.usd_month, "usd_spent": spent.month_micro_usd / 1e6,
         "tokens_day": llm.tokens_day, "tokens_spent": spent.day_tokens, "calls_run": llm.calls_run,
         "reservations_open": spent.unsettled, "reservations_dead": len(dead) - released,
         "reservations_released": released},
        as_json,
        f"mode {llm.mode}\n"
        f"this month: {spent.month_micro_usd / 1e6:.4f} of {llm.usd_month:g} USD"
        f"{'' if llm.usd_month else ' (a server of this machine only)'}\n"
        f"today (UTC): {spent.day_tokens:,} of {f'{llm.tokens_day:,}' if llm.tokens_day else 'any number of'} tokens\n"
        f"a run: at most {llm.calls_run} calls\n"
        f"reservations that are not settled, counted at their worst: {spent.unsettled}"
        + (f", {len(dead)} of them dead: --release" if dead and not is_released else "")
        + (f"\nreleased: {released}" if is_released else ""),
    )  # fmt: skip


@llm_command.command("words")
@click.option("--day", type=DAY, help="Lessons of this nightly run; the newest with any unless given.")
@at_branch
def words(day: str | None, branch: str | None, home: str | None, as_json: bool) -> None:
    """Ask for a sentence on each lesson of a nightly run, for people alone: at most eight in one request.

    A sentence takes the place of the template's where every number and name in it is one that is shown of the lesson,
    and every other word is of a closed list. Nothing reads it back.
    """
    from lotus_assets.coprocessor.sentences import lesson_words

    facts = lesson_words(settings_of_branch(home, branch=branch), day or "")
    emit(facts, as_json, _words_text(facts))


def _words_text(facts: dict[str, Any]) -> str:
    head = f"{facts['lessons']} lessons of the nightly run of {facts['night']}" if facts["lessons"] else "no lessons"
    lines = [f"{head}; {len(facts['sentences'])} asked ({facts['verdict']})"]
    for one in facts["sentences"]:
        shown = one["text"] or f"refused, the template stays: {one['refused']}"
        lines.append(f"  {one['lesson_id'][:12]}  {shown}")
    return "\n".join(lines)


def _request(settings: "Settings", prompt: "Prompt") -> dict[str, Any]:
    from lotus.coprocessor.model.calls import TokenPrices, worst_use
    from lotus.coprocessor.model.prompt_text import messages_of
    from lotus_llm.wire import request_bytes

    llm = settings.llm
    body = request_bytes(llm.model, llm.max_tokens, llm.structured, messages_of(prompt))
    worst = worst_use(len(body), llm.max_tokens)
    cost = TokenPrices(llm.usd_per_mtok_in, llm.usd_per_mtok_out).micro_usd(worst.tokens_in, worst.tokens_out)
    return {
        "mode": llm.mode, "url": f"{llm.url.rstrip('/')}/chat/completions" if llm.url else "", "model": llm.model,
        "key": f"${llm.key_env}{'' if os.environ.get(llm.key_env) else ' (not set)'}" if llm.key_env else "none",
        "knows_until": llm.knows_until, "bytes": len(body), "worst_tokens": worst.tokens, "worst_usd": cost / 1e6,
        "messages": [{"role": one.role, "text": one.text} for one in messages_of(prompt)], "body": body.decode(),
    }  # fmt: skip


def _request_text(facts: dict[str, Any]) -> str:
    head = (
        f"Nothing is sent. Mode {facts['mode']}; POST {facts['url'] or '(no url)'}; "
        f"model {facts['model'] or '(none)'}; key {facts['key']}\n"
        f"{facts['bytes']:,} bytes; at worst {facts['worst_tokens']:,} tokens and {facts['worst_usd']:.4f} USD; "
        f"the body, byte for byte: --json\n"
    )
    if not facts["knows_until"]:
        head += "llm.knows_until is not set: nothing that this model proposes could ever be settled\n"
    return head + "".join(f"\n--- {one['role']}\n{one['text']}" for one in facts["messages"])


def _found(proposal: "ModelProposal") -> dict[str, Any]:
    from lotus.coprocessor.model.calls import UNSENT

    calls = [
        {"verdict": call.verdict.value, "words": call.words,
         "sent": not (call.again or call.record.mode == "replay" or call.verdict in UNSENT),
         "model": call.record.model, "tokens_in": call.record.use.tokens_in, "tokens_out": call.record.use.tokens_out,
         "usage_told": call.record.usage_told, "usd": call.record.micro_usd / 1e6,
         "took_ms": round(call.record.took_ms, 1), "request_hash": call.record.request_hash}
        for call in proposal.calls
    ]  # fmt: skip
    specs = [
        {"detector_id": one.spec.detector_id, "spec_id": one.spec.spec_id, "horizon_s": one.spec.horizon_s,
         "depth": one.spec.depth, "nodes": one.spec.nodes, "text": one.text}
        for one in proposal.checked.specs
    ]  # fmt: skip
    refused, at_first = ([r.line_of_text for r in rs] for rs in (proposal.checked.refusals, proposal.at_first))
    return {"calls": calls, "proposed": specs, "refused": refused, "refused_at_first": at_first}


def _found_text(found: dict[str, Any]) -> str:
    from lotus.coprocessor.model.calls import UNSENT

    lines = []
    for call in found["calls"]:
        how = "sent" if call["sent"] else "not sent" if call["verdict"] in UNSENT else "answered before, not sent"
        source = "" if call["usage_told"] else " (not told, from bytes)"
        words = f": {call['words']}" if call["words"] else ""
        lines.append(
            f"{call['verdict']} ({how}){words}; {call['model'] or 'nobody'}, {call['tokens_in']:,} + "
            f"{call['tokens_out']:,} tokens{source}, {call['usd']:.4f} USD, {call['took_ms']:,.0f} ms"
        )
    for spec in found["proposed"]:
        size = f"{spec['depth']} levels, {spec['nodes']} nodes, horizon {spec['horizon_s']} s"
        lines.append(f"\n--- {spec['detector_id']} ({size})\n{spec['text']}".rstrip())
    if found["refused_at_first"]:
        lines += ["\nRefused at first, and asked for once more:", *found["refused_at_first"]]
    if found["refused"]:
        lines += ["\nRefused:", *found["refused"]]
    return "\n".join(lines).strip()


def _calls_text(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "No model was called yet: `lotus llm check` shows what would be asked"
    columns = (TableColumn("call"), TableColumn("at"), TableColumn("mode"), TableColumn("model"),
               TableColumn("verdict"), *numbers("in", "out", "USD", "ms"))  # fmt: skip
    cells = [
        (row["request_hash"][:12], row["called_at"][:16].replace("T", " "), row["mode"],
         row["model"] or row["model_asked"], row["verdict"], f"{row['tokens_in']:,}", f"{row['tokens_out']:,}",
         f"{row['micro_usd'] / 1e6:.4f}", f"{row['took_ms']:,.0f}")
        for row in rows
    ]  # fmt: skip
    return table(columns, cells, False)
