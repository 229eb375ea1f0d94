"""How long tests may take and how often Hypothesis draws: marks with reasons, profiles, slow files first, turns.

A plugin of every run. An unmarked test that takes more than `LIMIT_S` fails and says so; its seconds are those of the
processor (half of the wall's where that is more, for tests that wait), on a machine on which `loop_s` is `LOOP_S`,
asked at the moment of failing, so that a slow or busy machine fails nothing. What a test checks does not belong here.
With `--turn K/N` marked tests run in every N-th file that has some, from the K-th on (the longest first, so that turns
weigh about the same), all others always. (Literature: test size classes, rotation.)
"""

import gc
import os
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

TESTS = Path(__file__).resolve().parents[1]
LIMIT_S = 5.0
SPENT = pytest.StashKey[float]()
LOOP, LOOP_S = 10_000_000, 0.2
MARKS = {
    "kill": "ends processes with SIGKILL and looks at what they leave",
    "compile": "fills a kernel cache of its own",
    "process": "runs commands, daemons, servers or whole days through their stages",
    "evidence": "makes rows of docs/evidence again",
    "clock": "asserts a time, or waits for one to pass",
}
EXAMPLES = {"fast": 25, "usual": 50, "full": 1000}  # of a property test that names no number of its own
HOMES = {"lotus_assets": "mark.warm(", "lotus_cli": "lotus: Cli"}  # folder, and what a file holds that shares its home
LONGEST_FIRST = (
    "chaos/test_kills.py", "chaos/test_fleet_days.py", "chaos/test_fleet_worlds.py", "bits/test_bits.py",
    "lotus_cli/test_up.py", "chaos/test_disturbances.py", "lotus_cli/test_console_walk.py",
    "lotus_resources/fleet/test_crew.py", "test_bad_input.py", "chaos/test_live_shards.py", "deploy/test_deploy.py",
    "lotus_learning/test_night.py", "lotus_assets/test_days_ahead.py", "lotus_assets/test_backfill.py",
    "lotus_resources/fleet/test_worker.py", "lotus_assets/test_up.py", "chaos/test_switch_drills.py",
    "benchmarks_smoke/test_hot_path.py", "lotus_desk/test_trading.py", "chaos/test_kernel_cache.py",
    "chaos/test_fleet_kills.py", "lotus_assets/stages/governance/test_governance_acts.py",
    "benchmarks_smoke/test_evidence.py", "lotus_assets/stages/scoring/test_live_parity.py",
    "lotus_store/views/test_apart.py", "lotus_lab/test_notebooks.py", "chaos/test_trade_kills.py",
    "lotus_lab/test_wheel.py", "benchmarks_smoke/test_learning_day.py",
    "lotus_store/postgres/test_server_supervisor.py", "chaos/test_desk_faults.py", "chaos/test_two_venues.py",
    "lotus_desk/watch/test_watchdog.py", "chaos/test_paper_kills.py", "chaos/test_daemon_kills.py",
    "lotus_knobs/test_nightly.py",
)  # fmt: skip
IN_EVERY_TURN = ("test_golden_day.py", "lotus_live/test_parity.py")

for _name, _many in EXAMPLES.items():
    settings.register_profile(_name, max_examples=_many, deadline=None)


def examples(many: int) -> int:
    """Return how many examples a test draws that draws `many` when one that names no number draws a hundred.

    >>> examples(100) == settings().max_examples
    True
    """
    return max(10, many * settings().max_examples // 100)


def loop_s() -> float:
    """Return the seconds that a do-nothing loop of `LOOP` turns takes now."""
    began = time.perf_counter()
    for _ in range(LOOP):
        pass
    return time.perf_counter() - began


def processor_s() -> float:
    """Return the seconds of processor that this process has used, and those of its processes that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--turn`."""
    parser.addoption("--turn", metavar="K/N", help="Of the tests with a mark only those of the K-th of N turns.")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known, and let each of several workers begin to read the tests elsewhere.

    A test's asserts are rewritten (as long as all else of reading it takes) by the worker that comes first, and stored.
    """
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}(reason): {meaning}")
    worker = getattr(config, "workerinput", None)
    if worker is not None and config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        sys.dont_write_bytecode = False
        places = sorted(str(place) for place in TESTS.iterdir() if place.is_dir() or place.name.startswith("test_"))
        first = len(places) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args = places[first:] + places[:first]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Read the tests without collecting garbage, and leave what they are out of every later collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first, so that no worker begins one when the others have nothing left; then by name."""
    rank = {str(TESTS / name): place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: (rank.get(str(item.path), len(rank)), str(item.path)))
    if turn := config.getoption("turn"):
        others = of_other_turns(items, *map(int, turn.split("/")))
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]


def is_marked(item: pytest.Item) -> bool:
    """Tell whether a test has one of the marks."""
    return any(mark.name in MARKS for mark in item.iter_markers())


def of_other_turns(items: list[pytest.Item], turn: int, turns: int) -> list[pytest.Item]:
    """Return the marked tests whose file has another turn than this of 1 to `turns`."""
    if not 1 <= turn <= turns:
        raise pytest.UsageError(f"found turn {turn} of {turns}; expected one of 1 to {turns}")
    always = {TESTS / name for name in IN_EVERY_TURN}
    files = list(dict.fromkeys(item.path for item in items if is_marked(item) and item.path not in always))
    now = always | set(files[turn - 1 :: turns])
    return [item for item in items if is_marked(item) and item.path not in now]


class ByHome(LoadFileScheduling):
    """One file to one worker, and files that begin in the same home to the same worker, which makes it once."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        text = (TESTS.parent / file).read_text()
        return next((home for home, sign in HOMES.items() if home in file and sign in text), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByHome:
    """Give files to workers."""
    return ByHome(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Note what a test has spent: seconds of processor, its processes' too, or half of the wall's if that is more."""
    began, used = time.perf_counter(), processor_s()
    yield
    item.stash[SPENT] = max(processor_s() - used, (time.perf_counter() - began) / 2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail an unmarked test that took too long."""
    report = yield
    spent = item.stash.get(SPENT, 0.0)
    if report.when == "call" and report.passed and spent > LIMIT_S and not is_marked(item):
        allowed = LIMIT_S * max(1.0, loop_s() / LOOP_S)
        if spent > allowed and settings().max_examples <= EXAMPLES["usual"]:
            report.outcome = "failed"
            report.longrepr = (
                f"took {spent:.1f} s; an unmarked test takes at most {allowed:.1f} s here: make it quicker, or mark it "
                f"with its reason (one of {', '.join(MARKS)})"
            )
    return report
