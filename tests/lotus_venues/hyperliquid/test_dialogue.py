"""Whatever a client says over the websocket, it is answered."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lotus_venues.hyperliquid.dialogue import Dialogue

plain = st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | st.text(max_size=5)
anything = st.recursive(plain, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=4), x, max_size=3))


@given(st.text(max_size=30) | st.builds(json.dumps, st.fixed_dictionaries({"method": st.sampled_from(
    ("subscribe", "unsubscribe", "ping")) | anything, "subscription": anything | st.fixed_dictionaries(
    {"type": st.sampled_from(("bbo", "userFills")) | anything, "coin": anything, "user": anything})})))  # fmt: skip
def test_every_message_of_a_client_has_an_answer(text: str) -> None:
    answer = Dialogue({"BTC"}, has_users=True).answer(text)
    assert answer.texts or answer.close
