"""A desk of one plan before a model venue."""

from trading_venue import Desk


def settle(desk: Desk, ms: int = 300) -> Desk:
    """Let a little time pass with everything delivered."""
    for _ in range(ms // 100):
        desk.wait(100)
        desk.deliver_all()
    return desk
