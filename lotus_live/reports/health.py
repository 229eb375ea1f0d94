"""How the daemon of a home is, from files alone: what it wrote about itself, whether its process lives, what guards it.

One judgement for pages and commands: `ok`, `warn` (also where no daemon runs: nothing was seen), `error`. Nothing is
asked of the daemon and nothing is ended here. In the literature: health check, heartbeat, failure detector.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from lotus.json_text import read_json
from lotus_desk.safety.kill_switch import LIFTED
from lotus_live.reports.safety_status import safety_status
from lotus_store.processes import is_running

SILENT_S = 30.0  # it writes once a second: a status that is older is of a daemon that hangs
LATE_LINE_S = 60.0  # a venue with these coins is never silent for that long
CAUSES = {"ledger": "ledger", "poll": "polls", "herald": "herald", "handler": "handlers", "desk": "desk"}
Fact = str | int | float


@dataclass(frozen=True, slots=True)
class Health:
    """A judgement, its words, and the facts behind it by name (seconds, microseconds and counts as their names say)."""

    level: Literal["ok", "warn", "error"]
    text: str
    facts: Mapping[str, Fact]
    is_running: bool


def read_health(home: Path, now_s: float | None = None) -> Health:
    """Return how the daemon of a home is; `now_s`: seconds since 1970 (default: the machine's clock)."""
    now = time.time() if now_s is None else now_s
    status = read_status(home)
    safety = safety_status(home)
    if not status:
        return Health("warn", "no daemon runs here: none ever did", _guards(safety), is_running=False)
    age_s = max(0.0, now - float(status.get("time", 0.0)))
    facts = {**_facts(status, age_s), **_guards(safety)}
    state, name = str(status.get("state", "")), f"daemon {status.get('run_id', '')}"
    if state.startswith("stopped"):
        when = datetime.fromtimestamp(float(status.get("time", 0.0)), UTC).strftime("%Y-%m-%d %H:%M UTC")
        level: Literal["warn", "error"] = "warn" if state == "stopped" else "error"
        text = f"no daemon runs here: the last one, {status.get('run_id', '')}, {state} at {when}"
        return Health(level, text, facts, is_running=False)
    if not is_running(int(status.get("pid", 0)), ""):
        return Health("error", f"{name} ended without a word: its process is gone", facts, is_running=False)
    wrong = _wrong(state, age_s, safety)
    odd = _odd(status, safety)
    level_now: Literal["ok", "warn", "error"] = "error" if wrong else "warn" if odd else "ok"
    return Health(level_now, f"{name} runs: {'; '.join([*wrong, *odd]) or 'nothing is amiss'}", facts, is_running=True)


def read_status(home: Path) -> dict[str, Any]:
    """Return what the daemon of a home wrote about itself last, nothing where none ever did."""
    with suppress(OSError, ValueError):
        content = read_json((home / "live" / "status.json").read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}
    return {}


def _facts(status: Mapping[str, Any], age_s: float) -> dict[str, Fact]:
    feed = status.get("feed") or {}
    end_ms = int(status.get("last_window_end_ms") or 0)
    window = datetime.fromtimestamp(end_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if end_ms > 0 else "none"
    out: dict[str, Fact] = {
        "state": str(status.get("state", "")),
        "run_id": str(status.get("run_id", "")),
        "connected": str(feed["connected"]) if "connected" in feed else "no feed",
        "last_line_age_s": round(age_s + float(feed.get("silent_ms", 0)) / 1000, 1),
        "last_window_end": window,
        "latency_us_per_line": round(float(status.get("us_per_line", 0.0)), 1),
        "lines": int(status.get("lines", 0)),
        "published": int(status.get("published", 0)),
        "connection_failures": int(feed.get("failures", 0)),
        "stale_channels": len(feed.get("stale", ())),
        "broken_lines": int(status.get("broken_lines", 0)),
        **{f"{name}_failures": _count(status, cause) for name, cause in CAUSES.items()},
        "status_age_s": round(age_s, 1),
    }
    return out | ({"last_failure": str(status["last_failure"])} if status.get("last_failure") else {})


def _count(status: Mapping[str, Any], cause: str) -> int:
    return int(((status.get("failures") or {}).get(cause) or {}).get("count", 0))


def _guards(safety: Mapping[str, Any]) -> dict[str, Fact]:
    armed = ", ".join(f"{name}: {left}" for name, left in safety["armed"].items())
    return {
        "kill_switch": str(safety["kill_switch"]),
        "watchdog": "alive" if safety["watchdog"]["alive"] else "none runs",
        "armed": armed or "no account",
    }


def _wrong(state: str, age_s: float, safety: Mapping[str, Any]) -> list[str]:
    """Return what wants a hand now."""
    faults = []
    if age_s > SILENT_S:
        faults.append("it writes nothing about itself any more")
    if "," in state:  # "running, the ledger does not take rows"
        faults.append(state)
    if any(left != "ended" for left in safety["armed"].values()) and not safety["watchdog"]["alive"]:
        faults.append("an account is armed and no watchdog lives")
    return faults


def _odd(status: Mapping[str, Any], safety: Mapping[str, Any]) -> list[str]:
    """Return what one should know of."""
    feed = status.get("feed") or {}
    oddities = []
    if not feed.get("connected", False):
        oddities.append(f"not connected ({feed.get('last_error') or 'no feed'})")
    elif float(feed.get("silent_ms", 0)) > 1000 * LATE_LINE_S:
        oddities.append(f"no line for {LATE_LINE_S:.0f} s and more")
    if feed.get("stale"):
        oddities.append("channels are stale")
    if status.get("broken_lines"):
        oddities.append("something broke on lines")
    if safety["kill_switch"] != LIFTED:
        oddities.append(f"kill switch: {safety['kill_switch']}")
    return oddities
