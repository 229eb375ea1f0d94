"""Hot and slow tables name the same functions as the handlers of a daemon."""

from collections.abc import Mapping

import pytest
from hot_bed import Market, account_state, decider

from lotus.modules.intents import Intent, Module
from lotus_herald.consume import Handlers
from lotus_modules.hot import HOT, hot_handlers
from lotus_modules.tr.execute import Acceptor


@pytest.fixture
def floor() -> Market:
    return Market(account_state())


@pytest.fixture
def handlers(floor: Market) -> Mapping[Module, Handlers]:
    return hot_handlers(decider(), Acceptor(floor))


def test_hot_and_slow_tables_name_the_same_functions_as_the_handlers_of_a_daemon(
    handlers: Mapping[Module, Handlers],
) -> None:
    named = {(m, i): f.__name__ for m, table in HOT.items() for i, f in table.items()}
    assert named == {(m, i): f.__name__ for m, own in handlers.items() for i, f in own.items()}
    assert (Module.DM, Intent.ALPHA_PROPOSED) in named
