"""Wrong tokens are counted by client and all together, forgotten with time, and never fill the memory."""

from lotus_console.access.attempts import CLIENTS, MINUTE_S, MOST, OF_ALL, Attempts


def test_a_client_waits_after_too_many_and_may_try_again_later() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(MOST):
        assert attempts.wait_s("192.0.2.1") == 0.0
        attempts.failed("192.0.2.1")
    wait = attempts.wait_s("192.0.2.1")
    assert 0.0 < wait <= MINUTE_S / MOST
    assert attempts.wait_s("192.0.2.2") == 0.0
    now[0] += wait
    assert attempts.wait_s("192.0.2.1") == 0.0


def test_many_clients_are_bounded_together_and_a_network_is_one() -> None:
    attempts = Attempts(lambda: 0.0)
    for k in range(5 * CLIENTS):
        attempts.failed(f"10.{k >> 16}.{k >> 8 & 255}.{k & 255}")
    assert len(attempts._spent) == CLIENTS
    assert attempts.wait_s("198.51.100.7") > (5 * CLIENTS - OF_ALL) * MINUTE_S / OF_ALL - 1.0
    fresh = Attempts(lambda: 0.0)
    for k in range(MOST):
        fresh.failed(f"2001:db8::{k:x}")
    assert fresh.wait_s("2001:db8::ffff") > 0.0
