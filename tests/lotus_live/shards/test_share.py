"""Shares of the universe: every coin is in one, and nothing else is a share."""

import pytest

from lotus.errors import ConfigError
from lotus.manifest import Asset
from lotus_live.shards.share import Share, parse_share

UNIVERSE = tuple(Asset(name, 2) for name in ("A", "B", "C", "D", "E"))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_every_coin_is_in_one_share(count: int) -> None:
    shares = [Share(number, count).of(UNIVERSE) for number in range(1, count + 1)]
    assert sorted(a.name for share in shares for a in share) == ["A", "B", "C", "D", "E"]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_share_without_a_coin_is_refused() -> None:
    with pytest.raises(ConfigError, match="6 shards of 5 coins"):
        Share(1, 6).of(UNIVERSE)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "1/65", "-1/2", "1/2/3", "a/b", "1 /2", "½/2", "1/2\n"])
def test_another_text_is_no_share(text: str) -> None:
    with pytest.raises(ConfigError, match="K/N"):
        parse_share(text)


def test_names() -> None:
    share = parse_share("1/2")
    assert (share.name, share.suffix, share.lease("main")) == ("1/2", "1of2", "main 1/2")
