"""`POST /exchange` without the HTTP: a signed body in, the venue's answer out.

Checks the signer, the nonce and the expiry, finds the account, reads the action and calls the engine. Rate limits and
faults stand before it (`gateway`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lotus.trading.execution.orders import OrderGrouping
from lotus_venues.local_exchange.engine.accounts import Account
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.values import OrderRequest
from lotus_venues.local_exchange.requests import error_messages
from lotus_venues.local_exchange.requests.limits import RateLimits
from lotus_venues.local_exchange.requests.signers import RequestRefused, Signers
from lotus_venues.local_exchange.requests.wire_out import Json, WireEncoder

_CLOID = re.compile(r"0x[0-9a-fA-F]{32}\Z")
OK: Json = {"status": "ok", "response": {"type": "default"}}


class Malformed(Exception):
    """A body that the venue cannot read: HTTP 422."""


@dataclass(slots=True)
class Actions:
    """Executes signed actions. `open_deposit_micro` funds any signer at its first action; None: only known accounts."""

    engine: Engine
    signers: Signers
    encoder: WireEncoder
    limits: RateLimits
    open_deposit_micro: int | None

    def run(self, body: Json) -> Json:
        """Return the answer to a signed body; raises `Malformed` for one without the form of a request."""
        if not _has_form(body):
            raise Malformed
        try:
            account = self._account(body)
            return self._dispatch(account, body["action"])
        except RequestRefused as refused:
            return {"status": "err", "response": refused.found}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Malformed from error

    def _account(self, body: Json) -> Account:
        """Return the account that a body acts for, its nonce used; raises `RequestRefused`."""
        signer = self.signers.signer_of(body)
        master = self._master(signer)
        account = self.engine.account(master)
        if account is None:
            account = self._newcomer(signer, body)
        self.signers.use_nonce(signer, body["nonce"])
        excess = self.limits.too_many(account, body["action"], self.engine.state.now_ms)
        if excess:
            raise RequestRefused(excess)
        expires = body.get("expiresAfter")
        if expires is not None and self.engine.state.now_ms > expires:
            account.requests_used += 4  # a stale request costs five
            raise RequestRefused(error_messages.EXPIRED.format(expires=expires, now=self.engine.state.now_ms))
        vault = body.get("vaultAddress")
        if vault is not None:
            raise RequestRefused(error_messages.BAD_VAULT.format(address=vault))
        return account

    def _master(self, signer: str) -> str:
        return self.signers.master_of(signer, self.engine.state.now_ms) or signer

    def _newcomer(self, signer: str, body: Json) -> Account:
        unknown = RequestRefused(error_messages.UNKNOWN_SIGNER.format(address=signer))
        if self.open_deposit_micro is None:
            raise unknown
        real = self.signers.signer_of(body, is_mainnet=True)
        if self.engine.account(self._master(real)) is not None:
            raise unknown
        return self.engine.deposit(signer, self.open_deposit_micro)

    def _dispatch(self, account: Account, action: Json) -> Json:
        kinds: dict[str, Callable[[Account, Json], Json]] = {
            "order": self._order,
            "cancel": self._cancel,
            "cancelByCloid": self._cancel,
            "modify": self._modify,
            "batchModify": self._modify,
            "updateLeverage": self._leverage,
            "scheduleCancel": self._schedule,
            "noop": lambda _account, _action: OK,
            "approveAgent": self._approve,
        }
        run = kinds.get(action["type"])
        if run is None:
            raise RequestRefused(error_messages.UNSUPPORTED_ACTION.format(kind=action["type"]))
        return run(account, action)

    def _order(self, account: Account, action: Json) -> Json:
        requests = [read_order(row) for row in action["orders"]]
        answers = self.engine.place(account.address, requests, OrderGrouping(action.get("grouping", "na")))
        return _statuses("order", [self.encoder.answer(a) for a in answers])

    def _cancel(self, account: Account, action: Json) -> Json:
        keys = ("asset", "cloid") if action["type"] == "cancelByCloid" else ("a", "o")
        wanted = [(_number(row[keys[0]]), _name(row[keys[1]])) for row in action["cancels"]]
        errors = [self.engine.cancel(account.address, asset, name) for asset, name in wanted]
        return _statuses("cancel", [{"error": error} if error else "success" for error in errors])

    def _modify(self, account: Account, action: Json) -> Json:
        rows = action["modifies"] if action["type"] == "batchModify" else [action]
        wanted = [(_name(row["oid"]), read_order(row["order"])) for row in rows]
        answers = [self.engine.modify(account.address, name, request) for name, request in wanted]
        if action["type"] == "modify":
            return {"status": "err", "response": answers[0].error} if answers[0].error else OK
        return _statuses("order", [self.encoder.answer(a) for a in answers])

    def _leverage(self, account: Account, action: Json) -> Json:
        asset, leverage = _number(action["asset"]), _number(action["leverage"])
        error = self.engine.set_leverage(account.address, asset, leverage, is_cross=bool(action["isCross"]))
        return {"status": "err", "response": error} if error else OK

    def _schedule(self, account: Account, action: Json) -> Json:
        time_ms = action.get("time")
        error = self.engine.schedule_cancel(account.address, None if time_ms is None else _number(time_ms))
        return {"status": "err", "response": error} if error else OK

    def _approve(self, account: Account, action: Json) -> Json:
        name = action.get("agentName") or ""
        self.signers.approve_named(action["agentAddress"], account.address, name, self.engine.state.now_ms)
        return OK


def read_order(row: Json) -> OrderRequest:
    """Return the order of one wire row; raises `KeyError`, `TypeError` or `ValueError` for another form."""
    kind, cloid = row["t"], row.get("c")
    if not isinstance(row["b"], bool) or (cloid is not None and not _CLOID.match(cloid)):
        raise TypeError(row)
    common = (_number(row["a"]), row["b"], _text(row["p"]), _text(row["s"]), bool(row["r"]))
    if "limit" in kind:
        tif = kind["limit"]["tif"]
        if tif not in ("Gtc", "Ioc", "Alo", "FrontendMarket"):
            raise ValueError(tif)
        return OrderRequest(*common, tif, cloid=cloid)
    trigger = kind["trigger"]
    if trigger["tpsl"] not in ("tp", "sl"):
        raise ValueError(trigger)
    px = _text(trigger["triggerPx"])
    return OrderRequest(*common, None, px, bool(trigger["isMarket"]), trigger["tpsl"], cloid=cloid)


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _name(value: Any) -> int | str:
    return value if isinstance(value, str) else _number(value)


def _has_form(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and isinstance(body.get("action"), dict)
        and isinstance(body["action"].get("type"), str)
        and isinstance(body.get("nonce"), int)
        and isinstance(body.get("signature"), dict)
    )


def _statuses(kind: str, entries: list[Any]) -> Json:
    return {"status": "ok", "response": {"type": kind, "data": {"statuses": entries}}}
