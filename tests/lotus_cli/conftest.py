"""Homes for the tests of the command line; what they hold is in `small_home`."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from warm import hurry

from lotus_store.postgres.embedded import embedded

sys.path.insert(0, str(Path(__file__).parent))
from demo_runs import DemoRuns, empty_home
from small_home import Cli, Facts

DemoRun = Callable[[bool], tuple[Cli, Facts]]


@pytest.fixture(scope="session")
def served() -> Iterator[Callable[[Path], Cli]]:
    """Serve homes with embedded servers until the end of the session, and remove them then."""
    with ExitStack() as held:

        def serve(home: Path) -> Cli:
            held.callback(shutil.rmtree, home)
            hurry(held.enter_context(embedded(home)).server_dsn)
            return Cli(home)

        yield serve


@pytest.fixture(scope="session")
def new_home(served: Callable[[Path], Cli]) -> Callable[[], Cli]:
    """Make empty homes whose embedded servers run until the end of the session."""
    return lambda: served(empty_home())


@pytest.fixture(scope="session")
def demo_run(served: Callable[[Path], Cli], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    """The demo, run once for all workers: the home in which it ran, and a copy that acts may alter."""
    base = tmp_path_factory.getbasetemp()
    runs = DemoRuns(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
    yield lambda copy: (served((found := runs.take(copy))[0]), found[1])
    runs.clear()


@pytest.fixture(scope="session")
def _demo(demo_run: DemoRun) -> tuple[Cli, Facts]:
    return demo_run(False)


@pytest.fixture
def lotus(_demo: tuple[Cli, Facts]) -> Cli:
    """The command line of the home in which the demo has run; tests add to it and alter nothing."""
    return _demo[0]


@pytest.fixture
def facts(_demo: tuple[Cli, Facts]) -> Facts:
    """What the first run of the demo told."""
    return _demo[1]


@pytest.fixture(scope="session")
def fresh(new_home: Callable[[], Cli]) -> Cli:
    """The command line of a home with empty ledgers."""
    return new_home()


@pytest.fixture
def segment(lotus: Cli) -> Path:
    """The first segment of the demo's last day."""
    return min((lotus.home / "tape" / "demo-11" / "2026-01-08").glob("*.zst"))


@pytest.fixture
def recordings() -> Path:
    """The folder of real recordings beside the checkout."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real recordings are not beside the checkout")
    return folder
