"""Kill sender, Herald, receiver and PostgreSQL while messages go both ways; count what was lost and applied twice.

`python tests/chaos/messages.py --kills 1000 --messages 10000`. Kills fall at random moments and at the failpoints of
`message_children`; the server is killed or stopped at once, there and between; migrations are killed in fresh homes.
Exit code 1 when anything was lost, doubled, buried or alarmed.
"""

import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from children import Child, spawn
from message_children import FAILPOINTS, Board, open_home, run_herald, run_receiver, run_sender, stop_server

from lotus_herald.report import herald_status
from lotus_modules.handlers import handler_names
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger import atlas
from lotus_store.manifests.check import differences
from lotus_store.postgres.embedded import embedded
from lotus_store.postgres.migrations import check

PATIENCE_S = 120.0
DRAIN_S = 1800.0
SEAM_WAIT_S = 2.0


class Campaign:
    """The three processes of one home, kept alive, and the kills."""

    def __init__(self, home: Path, seed: int) -> None:
        """Start everybody."""
        self.home, self.dice, self.board = home, random.Random(seed), Board()
        self.by_target: Counter[str] = Counter()
        self.born = 0
        self.points: list[tuple[str, str]] = []  # failpoints still to be met in turn, in place of drawn ones
        self.children: dict[str, Child] = {}
        for role in FAILPOINTS:
            self.start(role)

    def start(self, role: str) -> None:
        """Start one role (again)."""
        self.born += 1
        jobs: dict[str, Callable[[], Any]] = {
            "sender": partial(run_sender, self.home, self.board, self.born),
            "herald": partial(run_herald, self.home, self.board),
            "receiver": partial(run_receiver, self.home, self.board),
        }
        self.children[role] = spawn(jobs[role], self.home / f"{role}.json")

    def revive(self) -> None:
        """Start what is dead; a child that failed by itself is an error."""
        for role, child in list(self.children.items()):
            if not child.alive():
                if child.status != -signal.SIGKILL:
                    child.answer()
                self.start(role)

    def strike(self) -> None:
        """Kill somebody somewhere."""
        time.sleep(self.dice.choice((0.0, 0.02, 0.1, 0.3)) * self.dice.random())
        role = self.points[0][0] if self.points else self.dice.choice(tuple(FAILPOINTS))
        victim = self.dice.choices(("self", "server", "stop"), (0.9, 0.05, 0.05))[0]
        if not self.points and self.dice.random() < 0.5:
            if victim == "self":
                hit = self.children[role].kill()
            else:
                hit = stop_server(self.home, victim == "stop")
            self.by_target[role if victim == "self" else f"postgresql ({victim})"] += hit
        else:
            failpoint = self.points[0][1] if self.points else self.dice.choice(FAILPOINTS[role])
            self.board.arm(failpoint, victim)
            began = time.monotonic()
            while self.board.armed and time.monotonic() < began + SEAM_WAIT_S:
                time.sleep(0.002)
            if self.board.armed:
                self.board.disarm()
                return
            who = role if victim == "self" else f"postgresql ({victim})"
            self.by_target[f"{who} at {role}: {failpoint}"] += 1
            del self.points[:1]
            if victim == "self":
                self.children[role].wait(PATIENCE_S)
        self.revive()

    def finish(self) -> None:
        """Stop the sender, let the rest be carried and consumed, end everybody."""
        self.board.stop_sending()
        self.children.pop("sender").wait(PATIENCE_S)
        deadline = time.monotonic() + DRAIN_S
        calm = 0
        while calm < 3 and time.monotonic() < deadline:
            time.sleep(0.3)
            calm = calm + 1 if asked(partial(open_messages, self.home), self.home) == 0 else 0
        for child in self.children.values():
            child.kill()


def open_messages(home: Path) -> int:
    """Return how many messages wait anywhere."""
    with Databases(Settings(home), migrated=False) as databases:
        return sum(told["outbox"] + told["inbox"] for told in herald_status(databases).values())


def sent_so_far(home: Path) -> int:
    """Return how many messages sig has committed."""
    with Databases(Settings(home), migrated=False) as databases, databases.connect("sig") as connection:
        row = connection.execute("SELECT count(*) FROM sig_outbox").fetchone()
        return int(str(row[0])) if row else 0


def judge(home: Path) -> dict[str, Any]:
    """Compare what was said with what was applied."""
    found: dict[str, Any] = {"lost": 0, "applied_twice": 0, "from_nowhere": 0}
    with Databases(Settings(home), migrated=False) as databases:
        status = herald_status(databases)
        found["still_waiting"] = sum(told["outbox"] + told["inbox"] for told in status.values())
        for sender, target in (("sig", "dm"), ("dm", "sig")):
            with databases.connect(sender) as connection:
                said = "SELECT event_id FROM {} WHERE intent = 'WATCHDOG_ALERT'"
                rows = connection.execute(said.format(f"{sender}_outbox"))  # type: ignore[call-overload]
                sent = Counter(str(row[0]) for row in rows)
            with databases.connect(target) as connection:
                applied = Counter(str(row[0]) for row in connection.execute("SELECT event_id FROM chaos_effects"))
            found[f"{sender}_to_{target}"] = sum(sent.values())
            found["lost"] += len(sent.keys() - applied.keys())
            found["from_nowhere"] += len(applied.keys() - sent.keys())
            found["applied_twice"] += sum(n - 1 for n in applied.values())
        with databases.connect("sig") as sig:
            proposed = "SELECT count(*) FROM sig_outbox WHERE intent = 'PRIOR_PATCH'"
            in_force = "SELECT count(*) FROM priors_in_force"
            applied_ok = "SELECT count(*) FROM sig_inbox WHERE intent = 'PRIOR_PATCH' AND outcome = 'applied'"
            answers = "SELECT count(*) FROM sig_inbox WHERE intent = 'PRIOR_PATCH_APPLIED' AND outcome = 'applied'"
            texts = {"proposed": proposed, "in_force": in_force, "applied": applied_ok, "acknowledged": answers}
            found["priors"] = {
                name: int(str((sig.execute(text).fetchone() or (0,))[0]))  # type: ignore[call-overload]
                for name, text in texts.items()
            }
    found["dead"] = {name: told["dead"] for name, told in status.items() if told["dead"]}
    found["gaps"] = {name: told["gaps"] for name, told in status.items() if told["gaps"]}
    swaps = found["priors"]
    found["swaps_lost"] = max(swaps["proposed"] - swaps["acknowledged"], swaps["applied"] - swaps["in_force"])
    return found | books(home)


def books(home: Path) -> dict[str, Any]:
    """Ask what `lotus modules check` and `lotus verify ledger` ask, once the table of the effects is gone."""
    with Databases(Settings(home), migrated=False) as databases:
        for name in ("sig", "dm"):
            with databases.owner(name) as connection:
                connection.execute("DROP TABLE IF EXISTS chaos_effects")
        schemas = check(databases)
        return {
            "schemas": schemas,
            "modules_differ": differences(handler_names(), databases),
            "ledger_equal": atlas.differences(databases).equal,
        }


def kill_migrations(folder: Path, dice: random.Random, kills: int) -> int:
    """Kill the making of the databases again and again in one home; it must end whole. Returns the kills."""
    home, n = folder / "migrated", 0
    for _ in range(kills):
        child = spawn(partial(checked_home, home), folder / "migrating.json")
        time.sleep(dice.uniform(0.05, 1.5))
        n += child.kill()
    last = spawn(partial(checked_home, home), folder / "migrating.json")
    last.wait(PATIENCE_S)
    last.answer()
    return n


def checked_home(home: Path) -> int:
    """Migrate, and compare with the schemas."""
    with Databases(Settings(home)) as databases:
        check(databases)
    return 0


def asked(job: Callable[[], Any], folder: Path) -> Any:
    """Return the answer of a job in a process of its own."""
    child = spawn(job, folder / "asked.json")
    child.wait(PATIENCE_S)
    return child.answer()


def run(
    folder: Path, kills: int, messages: int, seed: int, minutes: float, each: bool, tell: Callable[[str], None]
) -> Any:
    """Run the campaign; return the figures. `each` kills at every failpoint first, in turn."""
    began, dice = time.monotonic(), random.Random(seed)
    migrations = kill_migrations(folder, dice, max(kills // 50, 2))
    tell(f"migrations killed {migrations} times, whole in the end")
    home = folder / "home"
    home.mkdir(mode=0o755)
    with embedded(home):
        asked(partial(open_home, home), folder)
        campaign = Campaign(home, seed)
        campaign.points = [(role, failpoint) for role in FAILPOINTS for failpoint in FAILPOINTS[role]] * each
        deadline = began + 60 * minutes
        sent = 0
        while time.monotonic() < deadline:
            n = campaign.by_target.total() + migrations
            if n >= kills and sent >= messages and not campaign.points:
                break
            if n < kills or campaign.points:
                campaign.strike()
            else:
                time.sleep(0.2)
            if n % 50 == 0 or n >= kills:
                sent = asked(partial(sent_so_far, home), folder)
                tell(f"{n} kills, {sent} messages said")
        campaign.finish()
        found = asked(partial(judge, home), folder)
    found["kills"] = campaign.by_target.total() + migrations
    found["kills_of_migrations"] = migrations
    found["missed"] = campaign.points
    found["by_target"] = dict(sorted(campaign.by_target.items()))
    found["seconds"] = round(time.monotonic() - began, 1)
    wrong = (
        found["still_waiting"] + found["lost"] + found["applied_twice"] + found["from_nowhere"] + found["swaps_lost"]
    )
    kept = found["ledger_equal"] and not found["modules_differ"]
    found["whole"] = kept and not wrong and not found["dead"] and not found["gaps"]
    return found


@click.command()
@click.option("--kills", default=1000, show_default=True, type=click.IntRange(1))
@click.option("--messages", default=10_000, show_default=True, help="At least so many, and as many answers.")
@click.option("--seed", default=1, show_default=True, help="Seed of moments, targets and failpoints.")
@click.option("--minutes", default=30.0, show_default=True, help="No kill after this time.")
@click.option("--each", is_flag=True, help="Kill at every failpoint first, in turn.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(kills: int, messages: int, seed: int, minutes: float, each: bool, as_json: bool) -> None:
    """Kill everything that carries messages, then count."""
    folder = Path(tempfile.mkdtemp(prefix="lotus-messages-"))
    folder.chmod(0o755)
    found = run(folder, kills, messages, seed, minutes, each, lambda text: print(text, file=sys.stderr, flush=True))
    print(json.dumps(found) if as_json else "\n".join(f"{key:<20} {value}" for key, value in found.items()))
    if found["whole"]:
        shutil.rmtree(folder)
    sys.exit(0 if found["whole"] and found["kills"] >= kills else 1)


if __name__ == "__main__":
    main()
