"""Kill a daemon with SIGKILL while it trades a recording on paper, start it again under the same name, then count.

`python tests/chaos/paper_kills.py --kills 20`. The accounts are part of the daemon, so they die with it; their books
are in Postgres, which lives. After each kill the same run goes on where its tape ends; after the last one it runs to
the end of the recording. Then: fills of the accounts against fills of the desk (lost, unknown), names executed beyond
their size, positions of the accounts against those of the plans, cash against the fills. Exit code 1 when they differ.
"""

import json
import random
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from children import spawn  # noqa: E402
from tapes import MANIFEST, UNIVERSE, in_order, market, write  # noqa: E402

from lotus_desk.execution.stored import execution_of  # noqa: E402
from lotus_live.live import run_live  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.ledger.trading.plans import PlanRow, open_plans  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402
from lotus_store.settings.sections import TradingSettings  # noqa: E402
from lotus_venues.replay_server import ReplayPlan  # noqa: E402

RUN = "drill"
DEPOSIT_MICRO = int(TradingSettings().paper_deposit_usd * 1e6)
PATIENCE_S = 600.0


def settings_of(home: Path) -> Settings:
    """Return settings of a home that trades on paper."""
    return replace(Settings(home), manifest=MANIFEST, trading=TradingSettings(venue="paper"))


def trade(home: Path, recording: Path, speed: float) -> int:
    """Trade the recording to its end, saying in `running` when it has begun; return the published windows."""
    begun = lambda _: (home / "running").write_text("")  # noqa: E731
    result = run_live(
        settings_of(home), (recording,), plan=ReplayPlan(speed=speed), run_id=RUN, trade=True, on_start=begun
    )
    return int(result.status["published"])


def judge(home: Path) -> dict[str, Any]:
    """Compare the accounts' books with the desk's, at rest."""
    with Databases(settings_of(home)) as databases, databases.connect("tr") as tr:
        rows: list[Any] = tr.execute("SELECT account, body FROM tr_paper_fills").fetchall()
        orders: list[Any] = tr.execute("SELECT account, body FROM tr_paper_orders").fetchall()
        heads: dict[str, Any] = dict(tr.execute("SELECT account, state FROM tr_paper_account").fetchall())  # type: ignore[arg-type]
        desk = {str(name) for (name,) in tr.execute("SELECT fill_id FROM tr_fills")}
        names = {str(name) for (name,) in tr.execute("SELECT client_id FROM tr_orders")}
        stages: dict[str, Any] = dict(tr.execute("SELECT stage, count(*) FROM tr_plans GROUP BY 1").fetchall())  # type: ignore[arg-type]
        working = open_plans(tr, ("paper",), RUN)
    own = {f"{account}/{fill['number']}" for account, fill in rows}
    executed: dict[str, int] = defaultdict(int)
    cash: dict[str, int] = defaultdict(int)
    lots: dict[tuple[str, int], int] = defaultdict(int)
    for account, fill in rows:
        executed[fill["client_id"]] += fill["lots"]
        lots[account, fill["asset"]] += fill["side"] * fill["lots"]
        cash[account] += -fill["side"] * fill["lots"] * fill["px"] - fill["fee_micro"]
    held = {(a, k): p["lots"] for a, head in heads.items() for k, p in enumerate(head["positions"])}
    costs = {a: sum(p["cost_micro"] for p in h["positions"]) for a, h in heads.items()}
    spent = {a: DEPOSIT_MICRO + costs[a] - h["cash_micro"] for a, h in heads.items()}
    return {
        "fills": len(own),
        "orders": len(orders),
        "plans": stages,
        "unknown_fills": len(own - desk),
        "lost_fills": len(desk - own),
        "unknown_orders": sum(order["client_id"] not in names for _, order in orders),
        "overfilled": sum(executed[order["client_id"]] > order["lots"] for _, order in orders),
        "wrong_positions": sum(held[key] != lots[key] for key in held) + sum(key not in held for key in lots),
        "wrong_cash": sum(spent[a] + cash[a] - h["funding_micro"] != 0 for a, h in heads.items()),
        "wrong_plans": _wrong_plans(working, held),
    }


def _wrong_plans(working: list[PlanRow], held: dict[tuple[str, int], int]) -> int:
    """Return for how many accounts and coins the plans believe another position than the account has."""
    believed: dict[tuple[str, int], int] = defaultdict(int)
    for row in working:
        state = execution_of(row)
        index = next(k for k, asset in enumerate(UNIVERSE) if asset.name == row.coin)
        if state is not None:
            size = state.held.scaleb(UNIVERSE[index].sz_decimals)
            believed[f"{RUN}/{state.plan.authority.account}", index] += int(size * Decimal(int(state.plan.side)))
    return sum(believed[key] != held.get(key, 0) for key in believed.keys() | held.keys())


def run(folder: Path, kills: int, seed: int, seconds: int, speed: float) -> dict[str, Any]:
    """Run the drill; return the figures."""
    home, dice, began, died = folder / "home", random.Random(seed), time.monotonic(), 0
    home.mkdir(mode=0o755)
    tape = in_order(market("2026-03-04", "09:00", seconds, step_ms=500, seed=seed))
    recording = write(folder / "tape.txt", tape)
    with embedded(home):
        while True:
            (home / "running").unlink(missing_ok=True)
            child = spawn(partial(trade, home, recording, speed), folder / "trade.json")
            while died < kills and child.alive() and not (home / "running").exists():
                time.sleep(0.05)
            until = time.monotonic() + dice.uniform(0.3, 0.9) * seconds / speed / max(1, kills)
            while died < kills and child.alive() and time.monotonic() < until:
                time.sleep(0.01)
            if died >= kills or not child.kill():
                child.wait(PATIENCE_S)
                published = child.answer()
                break
            died += 1
        asker = spawn(partial(judge, home), folder / "judge.json")
        asker.wait(PATIENCE_S)
        found: dict[str, Any] = asker.answer()
    wrong = sum(int(n) for name, n in found.items() if name.startswith(("unknown", "lost", "over", "wrong")))
    told = {"kills": died, "published_in_last_life": published, "seconds": round(time.monotonic() - began, 1)}
    return found | told | {"whole": not wrong and found["fills"] > 0}


@click.command()
@click.option("--kills", default=10, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True, help="Seed of moments and the market.")
@click.option("--seconds", default=0, help="Length of the recording (default: 150 s a kill).")
@click.option("--speed", default=30.0, show_default=True, help="Pace of the recording.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(kills: int, seed: int, seconds: int, speed: float, as_json: bool) -> None:
    """Kill the daemon, then count."""
    folder = Path(tempfile.mkdtemp(prefix="lotus-paper-"))
    folder.chmod(0o755)
    found = run(folder, kills, seed, seconds or 150 * kills + 150, speed)
    print(json.dumps(found) if as_json else "\n".join(f"{key:<24} {value}" for key, value in found.items()))
    if found["whole"]:
        shutil.rmtree(folder)
    sys.exit(0 if found["whole"] and found["kills"] >= kills else 1)


if __name__ == "__main__":
    main()
