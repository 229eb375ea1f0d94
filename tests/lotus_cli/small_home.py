"""One small home for all tests of the command line, made by `lotus demo` itself: four days of two 8-minute sessions.

The seed is one whose last day publishes under a braid, which the tests of `explain` need.

Gates and fees are far softer than the defaults: what is learned here means nothing, but a lesson is accepted, a braid
moves the priors and the last day runs on them. Settings come from a file of the home, as a user's would.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lotus.learning.night import NightResult, learn_from
from lotus.simulation.spec import BTC, ETH, WorldSpec
from lotus_cli.main import main

SESSIONS = (("08:00", "08:08"), ("14:00", "14:08"))
HORIZONS_S = (30, 300)
TOML = """
[score]
publish_share = 0.4
tau_kairos = 0.0
tau_entrain = 0.0
tau_uncert = 1.0
[outcomes]
taker_fee_bps = -4.5
[learning]
alpha = 0.98
min_evidence_nats = -100.0
draws = 40
min_days = 2
min_blocks = 2
min_published = 4
min_ess = 4.0
min_n_eff_days = 1.0
min_coverage = 0.01
max_coverage = 0.9
[weave]
min_tilt = 0.0
patch_gain = 500.0
"""
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cli:
    """The command line of one home."""

    home: Path

    def __call__(self, *words: object, code: int = 0, **environment: str) -> Result:
        """Run a command and require its exit code; an exception other than the exit is the test's failure."""
        given = {"LOTUS_HOME": str(self.home), "LOTUS_CONFIG": str(self.home / "lotus.toml"), **environment}
        done = CliRunner().invoke(main, [str(w) for w in words], env=given, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done

    def json(self, *words: object, code: int = 0, **environment: str) -> Facts:
        """Run a command with --json; its standard output must be exactly one JSON object."""
        return one_object(self(*words, "--json", code=code, **environment).stdout)

    def refused(self, *words: object, **environment: str) -> str:
        """Run a command that must end with exit code 3; return its explanation: found, expected, no traceback."""
        done = self(*words, code=3, **environment)
        assert done.stdout == ""
        assert done.stderr.splitlines()[-1].startswith("lotus: ")
        assert "; expected: " in done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def demo(self, *words: object, code: int = 0) -> Result:
        """Run `lotus demo` on the small world."""
        with small_demo():
            return self("demo", "--days", "4", "--seed", "11", *words, code=code)


def one_object(text: str) -> Facts:
    """Return the one JSON object that a text must be."""
    assert text.count("\n") == 1
    found = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert isinstance(found, dict)
    return found


def _persuaded(*given: Any, last: bool, **named: Any) -> NightResult:
    """Return the night as it was and, of the one that looks, the refusal that covers most as a lesson."""
    night = learn_from(*given, last=last, **named)
    if not last or not night.refused:
        return night
    most = max(night.refused, key=lambda x: (bool(x.members_sample), x.n_published, x.coverage, x.lesson_id))
    lanes = tuple(
        replace(x, uplift_bps=2.0, ci95=(1.0, 3.0), lcb_bps=1.0, recent_t=3.0, m_nats=x.critical + 1.0)
        for x in most.lanes
    )
    lesson = replace(
        most, lanes=lanes, recent_t=3.0, coverage=min(most.coverage, 0.5), ess=max(most.ess, 4.0), state="IDENTIFIED",
        grade="B", reason="", sign=1, uplift_bps=2.0, ci95=(1.0, 3.0), claim_bps=1.7, lcb_bps=1.0, net_mean_bps=2.0,
        net_low_bps=1.0, net_high_bps=3.0, sigma_y_bps=5.0, warnings=("made by hand",),
    ).named()  # fmt: skip
    return replace(night, lessons=(lesson,), refused=tuple(x for x in night.refused if x is not most))


@contextmanager
def small_demo() -> Iterator[None]:
    """Let the demo's worlds be small, and its last night believe something: of so few windows nothing is learned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lotus_assets.stages.learning.lessons.learn_from", _persuaded)
        patch.setattr("lotus_cli.demo.command.WorldSpec", partial(WorldSpec, assets=(BTC, ETH), sessions=SESSIONS))
        patch.setattr("lotus_cli.demo.command.HORIZONS_S", HORIZONS_S)
        yield
