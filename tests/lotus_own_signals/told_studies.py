"""Studies of planted tables, told."""

from own_world import table

from lotus.own_signals.config import OwnConfig
from lotus.own_signals.report.facts import facts_of
from lotus.own_signals.report.words import text_of
from lotus.own_signals.scores import scored
from lotus.own_signals.study import study


def told(world, config=None, nightly=False):
    found = facts_of(
        study(scored(table(world), config or OwnConfig()), config or OwnConfig(), nightly=nightly),
        config or OwnConfig(),
    )
    assert "OWN SIGNALS" in text_of(found)
    return found
