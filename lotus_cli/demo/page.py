"""The one page of a demo, from its facts: what was planted, what was found, what it changed, what it cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from lotus_cli.demo.levels import level_words
from lotus_cli.demo.styles import style_page
from lotus_cli.pnl.beliefs import expected

Facts = Mapping[str, Any]


def page(facts: Facts, where: str = "") -> str:
    """Return the report as text; `where` is the option that names the home, empty for the default one."""
    sections = [_head(facts), _lessons(facts), _trap(facts), _beliefs(facts)]
    styles = style_page(facts["styles"]) if "styles" in facts else ""
    parts = [*sections, styles, _traded(facts), _money(facts), _time(facts), _next(facts, where)]
    return "\n\n".join(part for part in parts if part)


def _head(f: Facts) -> str:
    look = f["look"]
    searched = "one analysis after day" if not f["nightly"] else "the nightly run after day"
    how = (
        "nightly runs share the alpha slots of a year, as in a running deployment"
        if f["nightly"]
        else "one analysis at the end stands for the alpha slots of a running deployment"
    )
    return "\n".join(
        [
            f"LOTUS DEMO   world {f['world']}, seed {f['seed']}",
            f"  {f['days']} session days, {', '.join(f['symbols'])}: {f['frames']:,} frames, "
            f"{f['events']:,} scored windows",
            f"  {look['trials']:,} rules searched in {searched} {look['learning_days']}, family-wise error "
            f"{100 * look['alpha']:.2g} %; {_needed(f)}",
            f"  ({how})",
        ]
    )


def _needed(f: Facts) -> str:
    nats, days, least = float(f["look"]["critical_nats"]), f["days"] - 1, f["least_days"]
    if days < least:
        return f"no lesson can pass: {least} learning days are the least, here are {days}"
    return f"evidence needed: {nats:.2f} nats"


def _lessons(f: Facts) -> str:
    lines = [f"LESSONS   planted {len(f['planted'])}: right {len(f['recovered'])}, missed {len(f['missed'])}; "
             f"false {len(f['false'])}; echoes {f['echoes']}"]  # fmt: skip
    for p in f["planted"]:
        mark = "right " if p["name"] in f["recovered"] else "MISSED"
        lines.append(
            f"  {mark} {p['detector_id']}: pays {p['effect_bps']:+.0f} bps more where {p['rule']}   [{p['name']}]"
        )
    if f["lessons"]:
        lines.append("  found (uplift over what the score already knew, net of cost; truth from the simulator):")
    for x in sorted(f["lessons"], key=lambda x: (x["verdict"] != "recovered", -abs(x["uplift_bps"]))):
        low, high = x["ci95"]
        patch = (level_words(x["trust"]) if _earns(f) else "") if x["active"] else ", no patch"
        lines.append(
            f"    {x['verdict']:<9} {x['detector_id']:<22} {x['rule']:<34} {x['uplift_bps']:+7.2f} bps "
            f"[{low:+.1f}, {high:+.1f}], truth {x['true_uplift_bps']:+.2f}, grade {x['grade']}{patch}"
        )
    if not f["lessons"]:
        lines.append("  no lesson passed" + ("" if f["planted"] else "; with nothing planted that is the right answer"))
    if f["echoes"]:
        lines.append("    (echo: the planted drift really pays there too, seen by another detector or rule)")
    return "\n".join(lines)


def _trap(f: Facts) -> str:
    lines = []
    for t in f["trap"]:
        if t["naive_z"] is None:
            lines.append(f"TRAP   {t['detector_id']} where {t['rule']}: too few publications to be fallen for")
            continue
        verdict = "and Lotus fell for it" if t["fell_for_it"] else "Lotus took no lesson from it"
        lines += [
            f"TRAP   {t['detector_id']} where {t['rule']}: hit rate {t['hit_rate']:.0%} inside, "
            f"{t['hit_rate_outside']:.0%} outside",
            f"  a hit-rate table calls that z = {t['naive_z']:.1f} on {t['published']} publications; net of cost "
            f"a probe earns {t['net_bps']:+.1f} bps inside, {t['net_bps_outside']:+.1f} outside",
            f"  (it wins often and loses it all at once); {verdict}",
        ]
    return "\n".join(lines)


def _beliefs(f: Facts) -> str:
    p = f["publication"]
    lines = [f"BELIEFS   priors {f['priors_ver'][:12]} with {f['braids_in_force']} braids scored the last day"]
    lines += [
        f"  one of them an experiment: {x['detector_id']} where {x['rule']} is drawn more, nothing is believed of it"
        for x in f["experiments"]
    ]
    for name, word in (("boosted", "boosted"), ("damped", "damped ")):
        x = p[name]
        if x["windows"]:
            lines.append(f"  {word} {x['windows']:,} windows: expected alerts {x['without']:.1f} -> {x['with']:.1f}")
    alerts = f"expected alerts {p['expected_without']:.1f} -> {p['expected_with']:.1f}"
    lines.append(
        f"  all {p['windows']:,} eligible windows: {alerts}; "
        f"{p['published']} published, {p['publications_changed']} draws decided by a belief"
    )
    live = f["live"]
    word = "equal, bit for bit" if f["parity"] else "DIFFERENT"
    status = live["status"]
    taken, again = f"{status['lines']:,} messages", f"{status['rebuilt']:,} messages"
    lines += [
        f"PARITY   the live daemon took {taken} of the last day (and the evening that warms it) over a websocket"
        if not status["rebuilt"]
        else f"PARITY   the last day was not replayed whole again: the daemon began from {again} of its own tape "
        f"and took {taken}",
        f"  its events and those of Dagster's asset: {word}",
        f"  daemon {live['hash_live']}   signal_events {live['hash_asset']}",
    ]
    return "\n".join(lines)


def _traded(f: Facts) -> str:
    t, published = f["traded"], f["publication"]["published"]
    became = ", ".join(f"{n} {name}" for name, n in sorted(t["outcomes"].items(), key=lambda x: -x[1])) or "none"
    lines = [
        f"TRADED   the last day at a local exchange, order by order: {published} windows published, "
        f"{t['answered']} answered for ({became})"
    ]
    for name, what in (("probes", "each window a probe of its own"), ("book", "the netted book")):
        if name in t:
            lines += [f"  {what}: {_earned(t[name])}", f"    {_paid(t[name])}"]
    if len(t["venues"]) > 1:
        rows = (
            f"{v['venue']} {v['executions']} plans, fees {v['fee_bps']:.2f} bps, {v['latency_ms'] or 0:.0f} ms, "
            f"slippage {v['slippage_bps'] or 0:+.2f} bps"
            for v in t["venues"]
        )
        lines.append(f"  by venue (`lotus pnl`): {'; '.join(rows)}")
    lines.append(
        f"  outcomes of the day taken from what was executed: {t['whole_at_venue']} windows of "
        f"{t['detectors_taught']} detectors; the nightly run learned from them"
    )
    return "\n".join(lines)


def _earned(line: Mapping[str, Any]) -> str:
    low_high = "" if line["net_interval"] is None else " [{:+.2f}, {:+.2f}]".format(*line["net_interval"])
    unfilled = f", {line['unfilled']} unfilled" if line["unfilled"] else ""
    verdict = f"; {line['verdict']}" if line["verdict"] else ""
    bps = f"{line['net_bps']:+.2f} bps the mean trade{low_high}"
    return f"{line['trades']} trades{unfilled}, net {line['usd']['net']:+.2f} USD, {bps}{verdict}"


def _paid(line: Mapping[str, Any]) -> str:
    usd = line["usd"]
    costs = ", ".join(f"{name} {-usd[name]:+.2f}" for name in ("fees", "spread", "slippage", "funding"))
    return f"gross (mid to mid) {usd['gross']:+.2f} USD, {costs}"


def _earns(f: Facts) -> bool:
    """Tell whether levels of trust say anything: every run searched, so days went by after a lesson, or one is up."""
    return f["nightly"] or any((x["trust"] or {"level": 0})["level"] for x in f["lessons"])


def _money(f: Facts) -> str:
    money, days = f["money"]["beliefs"], f["money"]["days"]
    when = "the last day" if len(days) == 1 else f"the last {len(days)} days"
    lines = [f"MONEY   what beliefs changed on {when}: the same draws, probes against the tape, after all costs"]
    lines += [_style(x) for x in money["styles"]]
    crossing = money["styles"][0]
    lines.append(
        f"  brought in {crossing['added']['windows']:,} ({crossing['added']['usd']:+.2f} USD crossing), kept out "
        f"{crossing['dropped']['windows']:,} ({crossing['dropped']['usd']:+.2f} USD)"
    )
    if money["where_true"]:
        lines.append("  of these, the windows in which a planted rule holds:")
        lines += [_style(x) for x in money["where_true"]]
        lines.append("  if the truth were known, the planted rules alone acting as strongly as trust ever allows:")
        lines += [_known(*both) for both in zip(money["styles"], money["where_true"], strict=True)]
    if money["moved"]:
        lines.append(f"  {expected(money['moved'], money['expected_usd'], money['expected_se_usd'])}")
    else:
        lines.append("  no belief moved a window: both sides are the same")
    if _earns(f):
        lines += [
            f"  level on each of these days: {' '.join('-' if n is None else str(n) for n in x['levels'])}   "
            f"{x['detector_id']} where {x['rule']}"
            for x in f["money"]["levels"]
        ]
    return "\n".join(lines)


def _style(x: Mapping[str, Any]) -> str:
    without, sure = x["without"], x["with_beliefs"]
    return (
        f"  {x['style']:<8}without beliefs {without['windows']:,} windows and {without['usd']:+.2f} USD, "
        f"with them {sure['windows']:,} and {sure['usd']:+.2f}{_reach(x['with_interval'])}: "
        f"{x['gain_usd']:+.2f}{_reach(x['gain_interval'])}"
    )


def _known(x: Mapping[str, Any], inside: Mapping[str, Any]) -> str:
    whole, part = x["if_known"], inside["if_known"]
    return (
        f"  {x['style']:<8}{whole['windows']:,} windows and {whole['usd']:+.2f} USD, "
        f"of these {part['windows']:,} and {part['usd']:+.2f} where a planted rule holds"
    )


def _reach(found: Sequence[float] | None) -> str:
    return "" if found is None else f" [{found[0]:+.2f}, {found[1]:+.2f}]"


def _time(f: Facts) -> str:
    if "seconds" not in f:
        return ""
    before = f", after {f['setup_seconds']:.0f} s of setting up" if f["setup_seconds"] else ""
    parts = ", ".join(f"{name} {seconds:.0f}" for name, seconds in f["parts"].items())
    return f"TIME   {f['seconds']:.0f} s for everything above{before}\n  {parts}"


def _next(f: Facts, where: str) -> str:
    up = f".venv/bin/lotus up{where} --tape {f['tape']} --branch {f['branch']}"
    rows = [(up, "Dagster's pages on port 3000")]
    if f["example_event"]:
        rows.insert(0, (f".venv/bin/lotus explain {f['example_event']}{where}", "one number, back to raw frames"))
    width = max(len(command) for command, _ in rows)
    return "NEXT\n" + "\n".join(f"  {command:<{width}}   {text}" for command, text in rows)
