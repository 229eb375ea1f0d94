"""Shares of the universe: every coin is in one, and nothing else is a share."""

import pytest

from lotus.errors import ConfigError, TapeError
from lotus.manifest import Asset
from lotus_live.shards.share import Share, parse_share

UNIVERSE = tuple(Asset(name, 2) for name in ("A", "B", "C", "D", "E"))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_every_coin_is_in_one_share(count: int) -> None:
    shares = [Share(number, count).of(UNIVERSE) for number in range(count)]
    assert sorted(a.name for share in shares for a in share) == ["A", "B", "C", "D", "E"]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_share_without_a_coin_is_refused() -> None:
    with pytest.raises(TapeError, match="no coin of 5"):
        Share(5, 6).of(UNIVERSE)


@pytest.mark.parametrize("text", ["", "1", "2/2", "3/2", "0/0", "1/65", "-1/2", "1/2/3", "a/b", "1 /2", "½/2", "1/2\n"])
def test_another_text_is_no_share(text: str) -> None:
    with pytest.raises(ConfigError, match="K/N"):
        parse_share(text)


def test_names() -> None:
    share = parse_share("1/2")
    assert (share.name, share.suffix, share.lease("main")) == ("1/2", "1of2", "main 1/2")
