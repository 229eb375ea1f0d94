"""How often a client may try a token: so many wrong ones a minute, each client and all together, in bounded memory.

In the literature: token bucket, login throttling.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST, OF_ALL = 10, 100  # wrong tokens a minute, of a client and of all
MINUTE_S: Final = 60.0
CLIENTS: Final = 1024


class Attempts:
    """The wrong tokens of the last minutes, by client; a network of IPv6 addresses counts as one client."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """Nobody has tried."""
        self._now_s = now_s
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client: tokens spent, when

    def wait_s(self, client: str) -> float:
        """Return how long a client must wait before the next try, 0 for not at all."""
        waits = (
            self._over(_network(client), MOST) * MINUTE_S / MOST,
            self._over("", OF_ALL) * MINUTE_S / OF_ALL,
        )
        return max(waits)

    def failed(self, client: str) -> None:
        """Count a wrong token."""
        for name in (_network(client), ""):
            self._spent[name] = (self._left(name, OF_ALL if name == "" else MOST) + 1.0, self._now_s())
            self._spent.move_to_end(name)
        while len(self._spent) > CLIENTS:
            self._spent.popitem(last=False)

    def _over(self, name: str, most: int) -> float:
        return max(0.0, self._left(name, most) - most + 1.0)

    def _left(self, name: str, most: int) -> float:
        spent, when = self._spent.get(name, (0.0, 0.0))
        return max(0.0, spent - (self._now_s() - when) * most / MINUTE_S)


def _network(client: str) -> str:
    """Return what counts as one client.

    >>> _network("2001:db8::1"), _network("192.0.2.1"), _network("?")
    ('2001:db8::/64', '192.0.2.1', '?')
    """
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client or "?"
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
