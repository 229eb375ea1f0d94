"""Names signed in the last days: old ones are found as new ones are, the newest signature counts, and days end."""

import random

from lotus.trading.execution.orders import client_order_id
from lotus_venues.hyperliquid.signed_names import NEWEST, Signed, SignedNames


def test_names_are_found_as_a_dict_finds_them_signed_again_and_voided_too() -> None:
    names, whole, dice = SignedNames(), {}, random.Random(3)
    every = [client_order_id(str(k), "entry") for k in range(9 * NEWEST)]
    for k in range(8 * NEWEST):
        some = [every[k], every[dice.randrange(0, k + 1, 2)]] if k % 50 == 0 else [every[k]]
        signed = Signed(10**12 + k, 10**12 + k + 5_000)
        names.add(some, signed)
        whole |= dict.fromkeys(some, signed)
        if k % 1_000 == 17:
            nonce = 10**12 + dice.randrange(1, k, 2)
            names.void(nonce)
            whole = {name: signed for name, signed in whole.items() if signed.nonce != nonce}
    assert len(names.recent) < NEWEST
    assert [names.get(name) for name in every] == [whole.get(name) for name in every]
    assert [name in names for name in every] == [name in whole for name in every]


def test_names_of_days_long_ago_are_dropped_where_they_are_many() -> None:
    names = SignedNames()
    for k in range(4 * NEWEST):
        names.add([str(k)], Signed(k, k))
    assert len(names) == 4 * NEWEST
    names.prune(3 * NEWEST)
    assert len(names) == NEWEST
    assert (str(3 * NEWEST - 1) in names, str(3 * NEWEST) in names) == (False, True)
