"""Forged, altered, repeated and foreign envelopes, injections and bad payloads: how many were accepted.

`python tests/chaos/forgery.py --n 100000`. Every bit of 100 envelopes is flipped, fields are exchanged, texts are
written again in other forms, other keys sign; every text field carries SQL; payloads break their schemas beside valid
traffic. Exit code 1 when anything forged was accepted, a handler broke, or a valid message did not come through.
"""

import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from lotus.hashing import natural_id
from lotus.modules.canonical import canonical_json
from lotus.modules.envelope import Envelope, Message, RefusedError, open_envelope, payload_hash, seal, signed_json
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.beliefs import WatchdogAlert
from lotus_herald.carry import Carrier
from lotus_herald.consume import consume
from lotus_herald.keys import Keys, signing_release
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_herald.release import release_of
from lotus_herald.routes import Routes
from lotus_modules.handlers import SLOW
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.messages import boxes, identities

TS = 1_735_689_600_000
RELEASE = release_of(Module.SIG)
AGAIN = """
INSERT INTO sig_outbox (seq, event_id, dedupe_key, lifecycle_id, branch, intent, priority, envelope)
VALUES (%s, %s, %s, 'x', 'main', 'WATCHDOG_ALERT', 0, %s) ON CONFLICT DO NOTHING
"""
TABLES = "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
JUNK: list[Any] = [None, True, -1, 1.5, "", "x" * 300, [], [1, [2]], {}, {"a": None}, 2**53, -0.0, "\u2028é", "0" * 32]
INJECTIONS = (
    "'; DROP TABLE sig_inbox; --",
    "' OR '1'='1",
    '"; DELETE FROM sig_outbox; --',
    "$$; TRUNCATE sig_inbox; $$",
    "%s %(a)s %%",
    "{mod}_outbox",
    "\\'; SELECT pg_sleep(9); --",
    "x'); INSERT INTO sig_identity VALUES ('sig','k','r'); --",
    "/* */ UNION SELECT verify_key FROM sig_identity",
    "\\x00\\u0000",
    "'||(SELECT version())||'",
    "${jndi:ldap://x}",
)


def alert(name: str, **changes: Any) -> Message:
    """Return a message that sig's own handler takes."""
    told = WatchdogAlert(
        branch="main", day="2025-01-01", braid_id=name, detector_id="sr", kind="sunset", reason="x", e_value=20.5,
        priors_ver="0" * 32,
    )  # fmt: skip
    values: dict[str, Any] = {
        "to": (Module.SIG,), "intent": Intent.WATCHDOG_ALERT, "branch": "main",
        "schema_ref": WatchdogAlert.ref(Module.SIG),
        "payload": msgspec.to_builtins(told), "ts": TS, "dedupe_key": natural_id(name), "lifecycle_id": name,
        "ttl_sec": 60,
    }  # fmt: skip
    return Message(**(values | changes))


def signed(message: Message, keys: Keys, seq: int, signer: str = "sig", release: str = RELEASE) -> str:
    """Return the text of a message, signed by a module."""
    text = seal(message, Module.SIG, seq, release).signed_text()
    return signed_json(text, keys.sign_text(signer, text))


def put_unchecked(connection: Connection, said: Sequence[Message], keys: Keys) -> None:
    """Put messages into sig's outbox past the check of their payloads, as a faulty sender would."""

    def sealed(index: int, seq: int) -> tuple[Envelope, str]:
        bare = seal(said[index], Module.SIG, seq, RELEASE)
        return bare, signed(said[index], keys, seq)

    boxes.append_once(connection, "sig", [message.dedupe_key for message in said], sealed)
    identities.put_key(connection, "sig", keys.verify_key("sig"), RELEASE)


def accepted(text: str, known: dict[str, frozenset[str]], now_ms: int = TS) -> bool:
    """Tell whether the Herald would deliver a text found in sig's outbox."""
    try:
        envelope = open_envelope(text)
        Routes().check(envelope, now_ms)
    except RefusedError:
        return False
    return envelope.sender is Module.SIG and envelope.release in (signing_release(envelope, text, known) or ())


def forgeries(keys: Keys, n: int, dice: random.Random) -> Iterator[tuple[str, str, int]]:
    """Yield (kind, text, time) of everything that must be refused; at least `n`, with every bit of some envelopes."""
    made = 0
    for k in range(100):
        text = signed(alert(f"a{k}"), keys, k + 1)
        other = signed(alert(f"b{k}"), keys, k + 1001)
        raw = text.encode()
        bits = range(8 * len(raw)) if n >= 100_000 else dice.sample(range(8 * len(raw)), min(8 * len(raw), n // 150))
        for bit in bits:
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            yield "bit flip", flipped.decode("utf-8", "surrogateescape"), TS
        yield from variants(text, other, keys, k)
        made += len(bits)
    while made < n:
        text, at = signed(alert(f"c{made}"), keys, made + 1), dice.randrange(100)
        cut = dice.sample(range(len(text)), 2)
        yield "spliced", text[: min(cut)] + text[max(cut) + at % 3 :], TS
        made += 1


def variants(text: str, other: str, keys: Keys, k: int) -> Iterator[tuple[str, str, int]]:
    """Yield what can be made of one envelope by hand."""
    plain, strange = json.loads(text), json.loads(other)
    for name in plain:
        if plain[name] != strange[name]:
            yield "field swap", canonical_json(plain | {name: strange[name]}), TS
    for name, value in (("from", "dm"), ("to", ["dm"]), ("intent", "LEARNING_UPDATE"), ("ttl_sec", 0), ("priority", 2),
                        ("tags", ["x"]), ("branch", "other"), ("schema", "lotus-envelope-2")):  # fmt: skip
        yield "field changed", canonical_json(plain | {name: value}), TS
    forged = plain["payload"] | {"e_value": 1e9}
    yield "payload and hash", canonical_json(plain | {"payload": forged, "hash": payload_hash(forged)}), TS
    yield "re-serialised", json.dumps(plain), TS
    yield "re-serialised", json.dumps(plain, indent=1), TS
    yield "re-serialised", json.dumps(dict(reversed(plain.items())), separators=(",", ":")), TS
    yield "re-serialised", text.replace("20.5", "2.05e1"), TS
    yield "re-serialised", text[:-1] + f',"sig":"{plain["sig"]}"}}', TS
    yield "re-serialised", text + " ", TS
    for signer in ("dm", "tr", "vis", "stranger"):
        yield "other key", signed(alert(f"a{k}"), keys, k + 1, signer), TS
    yield "wrong release", signed(alert(f"a{k}"), keys, k + 1, release="lotus-9.9.9+envelope-1"), TS
    yield "expired", text, TS + 60_001
    yield "no signature", signed_json(seal(alert(f"a{k}"), Module.SIG, k + 1, RELEASE).signed_text(), ""), TS


def try_forgeries(keys: Keys, n: int, dice: random.Random) -> dict[str, Any]:
    """Offer every forgery to the Herald's checks; return how many were tried and accepted, by kind."""
    known = {keys.verify_key("sig"): frozenset({RELEASE})}
    assert accepted(signed(alert("good"), keys, 1), known)
    tried: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for kind, text, now_ms in forgeries(keys, n, dice):
        tried[kind] += 1
        passed[kind] += accepted(text, known, now_ms)
    return {"tried": tried.total(), "accepted": passed.total(), "by_kind": dict(tried)}


def try_replays(databases: Databases, keys: Keys, n: int) -> dict[str, int]:
    """Put delivered envelopes into the outbox again, under old and new numbers, also after a restart."""
    with databases.connect("sig") as sig:
        texts = send_many(sig, Module.SIG, [alert(f"r{k}") for k in range(n)], keys)
    applied = 0
    for _ in range(3):  # each time with new connections, as after a restart
        with Links(databases) as links:
            Carrier(links).carry(TS)
        applied += consume(databases, Module.SIG, SLOW[Module.SIG], keys, 0).get("applied", 0)
        with databases.connect("sig") as sig:
            sig.execute("UPDATE sig_outbox SET dispatched_at = NULL, outcome = NULL")
            for text in texts[:20]:
                row = [json.loads(text)["seq"] + 10_000, f"X{text[30:40]}", natural_id(text), text]
                sig.execute(AGAIN, row)
    return {"said": n, "rounds": 3, "applied_again": applied - n}


def try_injections(databases: Databases, keys: Keys) -> dict[str, int]:
    """Carry SQL in every text field; return how often a table or a row was touched that should not be."""
    before = shape(databases)
    said = []
    for k, bad in enumerate(INJECTIONS):
        for name in ("branch", "lifecycle_id", "parent_id", "priors_ver", "tags"):
            value: Any = (bad,) if name == "tags" else bad
            said.append(alert(f"i{k}{name}", **{name: value}))
        payload = {key: bad if isinstance(old, str) else old for key, old in alert("x").payload.items()}
        said.append(alert(f"i{k}payload", payload=payload))
        said.append(alert(f"i{k}key", payload={bad: bad}))
    with databases.connect("sig") as sig:
        put_unchecked(sig, said, keys)
    with Links(databases) as links:
        Carrier(links).carry(TS)
    outcomes = consume(databases, Module.SIG, SLOW[Module.SIG], keys, 0)
    with databases.connect("sig") as sig:
        kept = sig.execute("SELECT count(*) FROM sig_inbox WHERE lifecycle_id = ANY(%s)", [list(INJECTIONS)]).fetchone()
    harmed = int(shape(databases) != before) + (len(INJECTIONS) - int(str(kept[0] if kept else 0)))
    return {"said": len(said), "done": sum(outcomes.values()), "harmed": harmed + len(said) - sum(outcomes.values())}


def shape(databases: Databases) -> list[tuple[object, ...]]:
    """Return the tables and identities of sig."""
    with databases.connect("sig") as sig:
        tables = sig.execute(
            "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        return [*tables.fetchall(), *sig.execute("SELECT module, verify_key FROM sig_identity").fetchall()]


def bad_payload(dice: random.Random) -> tuple[Intent, dict[str, Any]]:
    """Return a payload that is not that of its intent: wrong types, missing and extra names, deep and long things."""
    intent = dice.choice([x for x in SLOW[Module.SIG] if x is not Intent.WATCHDOG_ALERT] + [Intent.WATCHDOG_ALERT] * 3)
    payload: dict[str, Any] = dict(alert(f"z{dice.random()}").payload)
    for _ in range(dice.randint(1, 3)):
        act, name = dice.randrange(3), dice.choice(sorted(payload) or ["a"])
        if act == 0:
            payload.pop(name, None)
        elif act == 1:
            payload[name] = dice.choice(JUNK)
        else:
            payload[f"more{dice.randrange(9)}"] = dice.choice(JUNK)
    return intent, payload | {"not in any schema": dice.choice(JUNK)}


def try_payloads(databases: Databases, keys: Keys, n: int, dice: random.Random) -> dict[str, int]:
    """Send bad payloads with a valid message after every tenth; return what became of them."""
    found: Counter[str] = Counter()
    faults = 0
    for start in range(0, n, 2_000):
        said = []
        for k in range(start, min(start + 2_000, n)):
            intent, payload = bad_payload(dice)
            said.append(alert(f"p{k}", intent=intent, payload=payload))
            if k % 10 == 0:
                said.append(alert(f"valid{k}"))
        with databases.connect("sig") as sig:
            put_unchecked(sig, said, keys)
        with Links(databases) as links:
            Carrier(links).carry(None)
        try:
            found.update(consume(databases, Module.SIG, SLOW[Module.SIG], keys, 0))
        except Exception as fault:
            faults += 1
            print(f"a handler broke: {fault!r}", file=sys.stderr)
    with databases.connect("sig") as sig:
        letters = [x for x in boxes.dead_letters(sig, "sig") if x.place == "inbox" and x.reason == "bad_payload"]
        valid = sig.execute("SELECT count(*) FROM sig_inbox WHERE lifecycle_id LIKE 'valid%' AND outcome = 'applied'")
        applied = int(str((valid.fetchone() or (0,))[0]))
    return {
        "bad": n, "dead_lettered": found["dead"], "with_reason": len(letters), "handlers_broken": faults,
        "valid": -(-n // 10), "valid_applied": applied,
    }  # fmt: skip


def run(databases: Databases, folder: Path, n: int, seed: int) -> dict[str, Any]:
    """Run all parts; return the figures and `held`: whether nothing got through and nothing valid was harmed."""
    keys, dice, began = Keys(folder / "forged-keys"), random.Random(seed), time.monotonic()
    found: dict[str, Any] = {"forgery": try_forgeries(keys, n, dice)}
    found["payloads"] = try_payloads(databases, keys, n, dice)
    found["injections"] = try_injections(databases, keys)
    found["replays"] = try_replays(databases, keys, min(n // 20, 1000))
    fuzz = found["payloads"]
    found["held"] = (
        found["forgery"]["accepted"] == found["injections"]["harmed"] == found["replays"]["applied_again"] == 0
        and fuzz["dead_lettered"] == fuzz["bad"] <= fuzz["with_reason"]
        and fuzz["handlers_broken"] == 0
        and fuzz["valid_applied"] == fuzz["valid"]
    )
    found["seconds"] = round(time.monotonic() - began, 1)
    return found


@click.command()
@click.option("--n", default=100_000, show_default=True, help="Forgeries, and bad payloads.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(n: int, seed: int, as_json: bool) -> None:
    """Attack a fresh home and count what got through."""
    with tempfile.TemporaryDirectory(prefix="lotus-forgery-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with closing(Databases(Settings(folder))) as databases:
            found = run(databases.open(), folder, n, seed)
    print(json.dumps(found) if as_json else json.dumps(found, indent=1))
    sys.exit(0 if found["held"] else 1)


if __name__ == "__main__":
    main()
