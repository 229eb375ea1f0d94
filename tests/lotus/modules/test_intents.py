"""Every intent has a payload, so that the map covers all of them."""

from lotus.modules.intents import Intent
from lotus.modules.messages.catalogue import payloads, routes


def test_every_intent_has_a_payload_and_a_route() -> None:
    assert {kind.contract.intent for kind in payloads()} == set(Intent) == set(routes())
    assert routes()[Intent.PRIOR_PATCH].answer is Intent.PRIOR_PATCH_APPLIED
