"""Curation: braids that wait, acts in force and their reviewers, versions to return to; what an act would change."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lotus.detectors.daily.tables import DayTables
from lotus.errors import BeliefError
from lotus.priors.trace import describe_braid
from lotus.timebase import DAY_MS, day_of
from lotus.weave.braid import Braid
from lotus.weave.review import LIFTS, ActOutcome, ReviewAct, lifted, reviewers
from lotus_console.pages.braids import ORDER, board_row, braid_of, braids_by_state, event_now, trust_of
from lotus_console.pages.loom import patch_words
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected
from lotus_console.views import Facts, PageView
from lotus_store.asset_context import with_groups
from lotus_store.day_tables import served_tables
from lotus_store.facts.act_preview import UNCHANGED, detectors_of, moved_windows, version_after
from lotus_store.facts.event import of_ledger
from lotus_store.facts.words import clock
from lotus_store.ledger.beliefs.acts import acts_on
from lotus_store.ledger.beliefs.detector_sets import detectors_on
from lotus_store.ledger.beliefs.priors import in_force_at, read_version
from lotus_store.ledger.beliefs.review_values import reviewers_judged
from lotus_store.ledger.beliefs.reviews import review_rows
from lotus_store.ledger.bodies import from_body

WORDS: Final = {"approve": "approve", "reject": "reject", "extend": "extend", "attenuate": "attenuate",
                "freeze": "freeze the trust of", "lower": "lower the trust of", "rollback": "go back to"}  # fmt: skip
FIELDS: Final = ("kind", "target", "author", "note")
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "approve": ("lifts", "confidence"), "reject": ("reason_code", "confidence"), "extend": (), "attenuate": ("factor",),
    "freeze": ("reason_code",), "lower": ("reason_code",), "rollback": (),
}  # fmt: skip
UNDO: Final = {"reject": "approve", "freeze": "approve", "lower": "approve", "approve": "reject"}
MOST_WINDOWS, SHOWN, HOUR_24_MS = 5_000, 20, DAY_MS
DONE, MOST_BRAIDS = 50, 100_000
LATEST = 2**53
ACT_KINDS = ("approve", "reject", "extend", "attenuate", "raise_cap", "freeze", "lower", "rollback")


def curation_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return the queue, acts that wait, what became of others, the reviewers and the newest versions."""
    outcomes = outcomes_of(reading)
    counts, acts = braids_by_state(reading), reading.rows("sig", "newest_acts")
    rules = _rules(reading, {str(a["target"]) for a in acts} | {o.act.target for o in outcomes[-DONE:]})
    settled = {o.act.act_id for o in outcomes}
    rows = [a for a in acts if a["act_id"] not in settled]
    lifts = lifted({str(a["act_id"]): _reviewed_act(reading, a) for a in rows})
    waiting = [_waiting(a, rules, lifts.get(str(a["act_id"]))) for a in rows]
    done = [_act(_plain(o.act), rules, ("done: " if o.accepted else "refused: ") + o.text) for o in outcomes[-DONE:]]
    rolled = [a for a in waiting if a["kind"] == "rollback"]
    waiting = [a for a in waiting if a["kind"] != "rollback"]
    for k, act in enumerate(rolled):
        act["state"] = "another followed it" if k else "in force; the next nightly run goes on from there"
    return {
        "title": _title(counts["proposed"], sum(not a["left_out"] for a in waiting)),
        "queue": _braids(reading, "proposed"),
        "living": _braids(reading, "active"),
        "counts": counts,
        "waiting": [*rolled, *waiting],
        "done": list(reversed(done)),
        "reviewers": _reviewers(reading, outcomes),
        "versions": [_version(row) for row in reading.rows("sig", "newest_versions")],
        "sent": _sent(reading, given.get("done", ""), [a for a in acts if a["act_id"] not in lifts], rules),
    }


def outcomes_of(reading: HomeReading) -> list[ActOutcome]:
    """Return what became of the acts that the newest nightly runs took up, oldest first."""
    nights = [row["day"] for row in reading.rows("sig", "nights")]
    return [from_body(row["body"], ActOutcome) for row in reading.rows("sig", "outcomes_of_nights", days=nights)]


def _title(waiting: int, acts: int) -> str:
    queue = f"{waiting} braid{'s' * (waiting != 1)} wait{'s' * (waiting == 1)} for you" if waiting else "Nothing waits"
    return queue + (f", {acts} act{'s' * (acts != 1)} for the night" if acts else "")


def _braids(reading: HomeReading, state: str) -> list[dict[str, Any]]:
    """Return the newest braids in a state as the board shows them."""
    rows, _ = selected(reading, "sig", "board", Question(filters={"state": state}), ORDER)
    trust, now_ms = trust_of(reading, [row["braid_id"] for row in rows]), event_now(reading)
    return [board_row(reading, braid_of(row), trust, now_ms) for row in rows]


def _rules(reading: HomeReading, names: set[str]) -> dict[str, str]:
    rows = reading.rows("sig", "braids_named", braids=sorted(names))
    return {str(row["braid_id"]): describe_braid(braid_of(row).active(), reading.words) for row in rows}


def _plain(act: ReviewAct) -> dict[str, Any]:
    names = ("act_id", "asof_day", "kind", "target", "author", "reason_code", "factor", "note")
    return {name: getattr(act, name) for name in names}


def _reviewed_act(reading: HomeReading, row: Mapping[str, Any]) -> ReviewAct:
    return ReviewAct(branch=reading.settings.branch, **{k: v for k, v in row.items() if k != "undo_ver"})


def _waiting(row: Mapping[str, Any], rules: Mapping[str, str], lift: ReviewAct | None) -> dict[str, Any]:
    """Return an act that no night took up; of one that is left out, by whom: the undo is that of what leaves it out."""
    act = _act(row, rules, "waits for the next nightly run", is_waiting=True)
    if lift is None:
        return {**act, "left_out": ""}
    state = f"left out by {lift.author}: the next nightly run does not apply it"
    return {**act, "state": state, "undo": "", "left_out": lift.act_id}


def _act(row: Mapping[str, Any], rules: Mapping[str, str], state: str, is_waiting: bool = False) -> dict[str, Any]:
    """Return an act with its undo: one that waits is left out, of one that was applied another takes back."""
    kind, target = str(row["kind"]), str(row["target"])
    undo = f"/curation/act/{UNDO[kind]}?target={target}" if kind in UNDO else ""
    if is_waiting and kind != "rollback":
        undo = f"/curation/act/approve?target={target}&lifts={row['act_id']}"
    if kind == "rollback" and row.get("undo_ver"):
        undo = f"/curation/act/rollback?target={row['undo_ver']}"
    name = rules.get(target, f"version {target[:8]}" if kind == "rollback" else target[:8])
    reason = str(row["reason_code"])
    if reason.startswith(LIFTS):
        reason = f"leaves out the act {reason.removeprefix(LIFTS)[:8]}"
    return {**row, "name": name, "state": state, "undo": undo, "reason_code": reason}


def _reviewers(reading: HomeReading, outcomes: Sequence[ActOutcome]) -> list[dict[str, Any]]:
    """Return the statistics of the reviewers over braids that act and those that they spoke about."""
    if not outcomes:
        return []
    return reading.memory.of("reviewers", reading.newest(), lambda: _scored(reading, _reviewed(reading, outcomes)))


def _scored(reading: HomeReading, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the reviewers with what came of their acts of 30 days ago and more."""
    branch = reading.settings.branch
    with reading.databases.connect("sig") as sig:
        _, skills = reviewers_judged(sig, branch, "sig", review_rows(sig, branch))
    by_author = {one.author: one for one in skills}
    names = ("judged", "right", "brier", "regret_bps")
    return [{**row, **{name: getattr(by_author.get(row["author"]), name, None) for name in names}} for row in rows]


def _reviewed(reading: HomeReading, outcomes: Sequence[ActOutcome]) -> list[dict[str, Any]]:
    acting, _ = selected(reading, "sig", "board", Question(filters={"state": "active"}, limit=MOST_BRAIDS), ORDER)
    named = reading.rows("sig", "braids_named", braids=sorted({o.act.target for o in outcomes}))
    braids = {str(row["braid_id"]): braid_of(row) for row in (*acting, *named)}
    names = ("author", "acts", "approvals", "false_promotions", "days_to_decide", "diversity")
    return [{name: getattr(r, name) for name in names} for r in reviewers(outcomes, list(braids.values()))]


def _version(row: Mapping[str, Any]) -> dict[str, Any]:
    since = clock(int(row["effective_from_ms"]))[:16].replace("T", " ")
    return {**row, "since": since}


def _sent(
    reading: HomeReading, done: str, acts: list[dict[str, Any]], rules: Mapping[str, str]
) -> dict[str, Any] | None:  # fmt: skip
    """Return what has just been sent, with the way to undo it."""
    if done.startswith("rollback-"):
        name = done.removeprefix("rollback-")
        rows = reading.rows("sig", "version_of", version=name)
        if not rows:
            return None
        since = clock(int(rows[0]["effective_from_ms"]))[:16].replace("T", " ")
        words = f"Version {name[:8]} is in force from {since} on, with the braids that were asked for."
        return {"words": words, "undo": f"/curation/act/rollback?target={rows[0]['parent_priors_ver']}"}
    act = next((a for a in acts if a["act_id"] == done), None)
    if act is None:
        return None
    shown = _act(act, rules, "", is_waiting=True)
    words = (
        f"{shown['kind'].capitalize()} {shown['name']} by {shown['author']} is sent; the next nightly run applies it."
    )
    if str(act["reason_code"]).startswith(LIFTS):
        words = f"The next nightly run {shown['reason_code']} on {shown['name']}."
    return {"words": words, "undo": shown["undo"]}


CURATION = PageView(
    "/curation", "Curation", "What waits for me?", curation_facts, "curation.html", accepts=("done",)
)  # fmt: skip


def target_of(reading: HomeReading, kind: str, target: str) -> dict[str, Any]:
    """Return what an act is about; raises `LookupError` for an unknown kind or target."""
    if kind not in NEEDS:
        raise LookupError(f"there is no act {kind[:20]!r}; expected: one of {', '.join(NEEDS)}")
    if kind == "rollback":
        try:
            with reading.databases.connect("sig") as sig:
                version = read_version(sig, reading.settings.branch, target)
        except BeliefError as error:
            raise LookupError(str(error)) from error
        rules = [f"{b.detector_id}: {describe_braid(b, reading.words)}" for b in version.braids]
        return {"name": f"version {target[:8]}", "lines": rules or ["it believes nothing"], "place": "/versions"}
    rows = reading.rows("sig", "braids_named", braids=[target])
    braid = from_body(rows[0]["body"], Braid) if rows else None
    if braid is None or braid.branch != reading.settings.branch:
        raise LookupError(f"branch {reading.settings.branch} has no braid {target[:40]!r}")
    lines = [f"{braid.detector_id}, {rows[0]['state']}, grade {braid.grade}, level {braid.level}",
             f"moves {patch_words(braid.active())}", str(rows[0]["reason"])]  # fmt: skip
    return {"name": describe_braid(braid.active(), reading.words), "lines": lines, "place": f"/braids/{target}"}


def lifted_words(reading: HomeReading, name: str, target: str) -> str:
    """Return in words the act on a braid that waits and would be left out; raises `LookupError` where none does."""
    settled = {o.act.act_id for o in outcomes_of(reading)}
    for act in reading.rows("sig", "newest_acts"):
        if (act["act_id"], act["target"]) == (name, target) and act["kind"] != "rollback" and name not in settled:
            return f"the {act['kind']} by {act['author']} that waits"
    raise LookupError(f"no act {name[:40]!r} on braid {target[:40]!r} waits; expected: one that /curation shows")


def preview_of(reading: HomeReading, act: ReviewAct) -> Facts:
    """Return what an act would have changed in the 24 hours of windows before the newest one."""
    manifest, branch = reading.settings.manifest, reading.settings.branch
    with reading.databases.connect("sig") as sig:
        now = in_force_at(sig, branch, LATEST)
        target = read_version(sig, branch, act.target) if act.kind == "rollback" else None
    if act.reason_code.startswith(LIFTS):
        return _previewed(
            "The act was not applied yet: the next nightly run leaves it out, and nothing else changes.", [], 0, False
        )
    after = version_after(act, now, target, manifest.weave.trust_caps)
    if after is None:
        return _previewed(UNCHANGED[act.kind], [], 0, False)
    detectors = detectors_of(now, after)
    if not detectors:
        what = "That version has the braids in force" if act.kind == "rollback" else "That braid moves no number now"
        return _previewed(f"{what}: no window would have another propensity.", [], 0, False)
    until = reading.rows("sig", "newest_window")
    until_ms = int(until[0]["window_end_ms"]) if until else 0
    days = sorted({day_of(until_ms - HOUR_24_MS), day_of(until_ms)})
    found = reading.rows("sig", "windows_since", days=days, detectors=detectors, since=until_ms - HOUR_24_MS,
                         most=MOST_WINDOWS)  # fmt: skip
    windows = with_groups(reading.lake, reading.settings.branch, manifest, [of_ledger(row) for row in found])
    moved = moved_windows(windows, now, after, manifest, _tables_of(reading, days[-1], found))
    return _previewed("", moved, len(found), len(found) == MOST_WINDOWS)


def _tables_of(reading: HomeReading, day: str, windows: Sequence[Mapping[str, Any]]) -> list[DayTables]:
    """Return the day tables that some windows name."""
    names, out = {str(window["tables_ver"]) for window in windows}, list[DayTables]()
    branch, manifest = reading.settings.branch, reading.settings.manifest
    with reading.databases.connect("sig") as sig:
        acts, detectors = acts_on(sig, branch, day), detectors_on(sig, branch, day, manifest)
    for tables in served_tables(reading.lake, branch, day, manifest, detectors, acts):
        if not names:
            break
        if tables.tables_ver in names:
            names.discard(tables.tables_ver)
            out.append(tables)
    return out


def _previewed(words: str, moved: list[Any], seen: int, is_cut: bool) -> Facts:
    gained = sum(m.change == "published" for m in moved)
    lost = sum(m.change == "not published" for m in moved)
    title = f"{len(moved):,} of {seen:,} windows of the last 24 h would have had another propensity"
    shown = sorted(moved, key=lambda m: (m.change == "as before", -abs(m.after - m.before), m.event_id))[:SHOWN]
    rows = [
        {"event_id": m.event_id, "when": clock(m.window_end_ms)[:19].replace("T", " "), "detector_id": m.detector_id,
         "asset": m.asset, "before": m.before, "after": m.after, "change": m.change}
        for m in shown
    ]  # fmt: skip
    return {
        "title": "No number changes" if words else title, "words": words, "rows": rows, "moved": len(moved),
        "gained": gained, "lost": lost, "expected": sum(m.after - m.before for m in moved), "is_cut": is_cut,
    }  # fmt: skip


def _acts(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "acts", question, "asof_day DESC, created_at DESC, act_id")
    return Answer([{**row, "created_at": row["created_at"].isoformat()[:19]} for row in rows], has_more,
                  "Who said what, and when")  # fmt: skip


ACTS = Table(
    name="acts",
    label="Acts",
    question="Every act of a person on beliefs, the newest first.",
    columns=(
        ShownColumn("act_id", "act", ValueKind.CODE, is_shown=False),
        ShownColumn("asof_day", "after", ValueKind.DAY),
        ShownColumn("kind", "act"),
        ShownColumn("target", "on", ValueKind.CODE),
        ShownColumn("author", "author"),
        ShownColumn("reason_code", "reason"),
        ShownColumn("factor", "factor", ValueKind.NUMBER),
        ShownColumn("note", "note"),
        ShownColumn("created_at", "said at", unit="UTC"),
    ),
    source=_acts,
    filters=(Filter("kind", "act", ACT_KINDS), Filter("author", "author"), Filter("target", "on")),
    empty="nobody has acted yet: /curation is where one does",
    links=(("the queue", "/curation"),),
)  # fmt: skip


def _versions(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "versions", question, "effective_from_ms DESC, priors_ver")
    return Answer([{**row, "back": "go back to it"} for row in rows], has_more, "What was believed when")


VERSIONS = Table(
    name="versions",
    label="Versions",
    question="Every version of the beliefs, the newest first. Nothing is deleted: any of them can come back.",
    columns=(
        ShownColumn("effective_from_ms", "in force from", ValueKind.TIME, "UTC", link="/loom?at={effective_from_ms}"),
        ShownColumn("braids", "beliefs", ValueKind.COUNT),
        ShownColumn("day", "learned on", ValueKind.DAY),
        ShownColumn("was_in_force", "was in force", ValueKind.FLAG),
        ShownColumn("priors_ver", "version", ValueKind.CODE),
        ShownColumn("parent_priors_ver", "follows", ValueKind.CODE),
        ShownColumn("back", "act", link="/curation/act/rollback?target={priors_ver}"),
    ),
    source=_versions,
    empty="no version but the first, which believes nothing",
    links=(("the queue", "/curation"),),
)
