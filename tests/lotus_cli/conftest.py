"""Homes for the tests of the command line; what they hold is in `small_home`."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from warm import hurry

from lotus_store.postgres.embedded import embedded

sys.path.insert(0, str(Path(__file__).parent))
from small_home import TOML, Cli, Facts, one_object


@pytest.fixture(scope="session")
def new_home() -> Iterator[Callable[[], Cli]]:
    """Make empty homes whose embedded servers run until the end of the session."""
    with ExitStack() as held:

        def make() -> Cli:
            home = Path(tempfile.mkdtemp(prefix="lotus-cli-"))
            held.callback(shutil.rmtree, home)
            home.chmod(0o755)
            (home / "lotus.toml").write_text(TOML)
            hurry(held.enter_context(embedded(home)).server_dsn)
            return Cli(home)

        yield make


@pytest.fixture(scope="session")
def _demo(new_home: Callable[[], Cli]) -> tuple[Cli, Facts]:
    lotus = new_home()
    return lotus, one_object(lotus.demo("--json").stdout)


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
