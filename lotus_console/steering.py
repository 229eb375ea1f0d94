"""Acts of governance asked in a form: a nudge, a veto, a lift; shown as what they would do, sent as everywhere else.

Which act may be is `lotus.curation.law`'s, which `lotus_modules.sig.board` asks. A form is bound to its session.
"""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lotus.curation.act import CurationKind
from lotus.curation.law import MOST_DAYS
from lotus.errors import ConfigError
from lotus_console.access.forms import form_of
from lotus_console.access.sessions import CSRF, session_of
from lotus_console.pages.governance import effect_of
from lotus_console.reading import HomeReading
from lotus_console.render import address
from lotus_herald.keys import Keys
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.acts import act_and_lifts

if TYPE_CHECKING:
    from lotus_modules.sig.board import AskedAct

FIELDS: Final = ("kind", "target", "log", "days", "author", "reason", "revokes", "now")
LONGEST: Final = 400
WORDS: Final = {"nudge": "Nudge a detector", "veto": "Publish nothing of a detector or coin", "lift": "Lift an act"}
Html = Callable[..., Response]


class Steering:
    """The forms of acts of governance of one home; `html` makes a page of a template."""

    def __init__(self, reading: HomeReading, html: Html) -> None:
        """Read nothing yet."""
        self._reading, self._html = reading, html

    def routes(self) -> list[Route]:
        """Return the pages of an act: its form, what it would do, and the sending."""
        return [
            Route("/governance/act/{kind}", self.form),
            Route("/governance/preview", self.preview, methods=["POST"]),
            Route("/governance/send", self.send, methods=["POST"]),
        ]

    def form(self, request: Request) -> Response:
        """Answer with the form of one act; raises `LookupError` for another one or an act that is not there."""
        kind, session = request.path_params["kind"], session_of(request)
        if kind not in WORDS:
            raise LookupError(f"there is no act {kind[:20]!r}; expected: one of {', '.join(WORDS)}")
        accepted = {"revokes"} if kind == CurationKind.LIFT else {"target"}
        if set(request.query_params) - accepted:
            raise ConfigError(f"{kind} has other parameters", ", ".join(sorted(accepted)))
        fixed = {"kind": kind, **({"revokes": request.query_params.get("revokes", "")} if kind == "lift" else {})}
        return self._html(
            request, "steer.html", title=f"{WORDS[kind]}?", kind=kind, fixed=fixed, about=self._about(fixed),
            target=request.query_params.get("target", ""), detectors=self._detectors(), most_days=MOST_DAYS,
            coins=[asset.name for asset in self._reading.settings.manifest.universe],
            who=session.who, token=session.bound("steer", fixed),
        )  # fmt: skip

    async def preview(self, request: Request) -> Response:
        """Answer with what an act would have done to the newest 24 h, and the button that sends it."""
        given, session = await form_of(request), session_of(request)
        fixed: dict[str, str] = {name: given[name] for name in ("kind", "revokes") if name in given}
        session.check(given.pop(CSRF, ""), "steer", fixed)
        fields = _fields(given | ({"author": session.who} if session.who else {}))
        act, effect = await run_in_threadpool(self._previewed, fields)
        return self._html(
            request, "steer_preview.html", title="Send this act?", act=act, effect=effect, fields=fields,
            about=self._about(fixed), token=session.bound("steer send", fields),
        )  # fmt: skip

    async def send(self, request: Request) -> Response:
        """Send the act that was shown, and lead back to what is in force with its undo."""
        given, session = await form_of(request), session_of(request)
        session.check(given.pop(CSRF, ""), "steer send", given)
        done = await run_in_threadpool(self._sent, _fields(given))
        return RedirectResponse(address("/governance", {"done": done}), status_code=303)

    def _previewed(self, fields: Mapping[str, str]) -> tuple[Any, dict[str, Any]]:
        from lotus_modules.sig.board import act_of  # the modules' handlers, a tenth of the start-up

        reading, asked = self._reading, asked_act(fields)
        with reading.databases.connect("sig") as sig:
            act = act_of(sig, reading.settings.branch, asked, reading.settings.manifest)
        return act, effect_of(reading, act)

    def _sent(self, fields: Mapping[str, str]) -> str:
        """Do an act with the rights of the command line; return its name."""
        from lotus_modules.sig.board import submit

        settings = self._reading.settings
        with Databases(settings) as databases:
            keys = Keys(settings.keys_root)
            return submit(databases, settings.branch, asked_act(fields), settings.manifest, keys).act_id

    def _detectors(self) -> list[str]:
        return [d.detector_id for d in self._reading.detectors()]

    def _about(self, fixed: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the act that a lift names, None for another act; raises `LookupError` when it is not there."""
        if "revokes" not in fixed:
            return None
        name, branch = fixed["revokes"], self._reading.settings.branch
        with self._reading.databases.connect("sig") as sig:
            found = next((one for one in act_and_lifts(sig, branch, name) if one.act_id == name), None)
        if found is None:
            raise LookupError(f"there is no act {name[:40]!r}; expected: one that /governance shows")
        return {"who": found.actor, "kind": found.kind, "target": found.target, "reason": found.reason}


def asked_act(fields: Mapping[str, str]) -> "AskedAct":
    """Return the act that the fields of a form say; raises `ConfigError` for a number that is none."""
    from lotus_modules.sig.board import AskedAct

    kind = CurationKind(fields["kind"])
    days = fields["days"]
    if not (days.isascii() and days.isdigit() and len(days) < 4):
        raise ConfigError(f"the days are {days[:20]!r}", f"a whole number from 1 to {MOST_DAYS}")
    return AskedAct(
        kind, fields["author"], fields["reason"], fields["target"], _log(fields["log"]) if kind == "nudge" else 0.0,
        int(days), fields["revokes"], fields["now"] == "yes",
    )  # fmt: skip


def _fields(given: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a form, "" for one that was left out; raises `ConfigError` for any other form."""
    strange = sorted(set(given) - set(FIELDS))
    if strange:
        raise ConfigError(f"the form has a field {strange[0][:40]!r}", ", ".join(FIELDS))
    fields = {name: given.get(name, "").strip() for name in FIELDS}
    if fields["kind"] not in WORDS:
        raise ConfigError(f"the act is {fields['kind'][:20]!r}", f"one of {', '.join(WORDS)}")
    if fields["now"] not in ("", "yes"):
        raise ConfigError(f"now is {fields['now'][:20]!r}", "yes, or nothing")
    long = next((name for name, text in fields.items() if len(text) > LONGEST), None)
    if long is not None:
        raise ConfigError(f"{long} of {len(fields[long]):,} characters", f"at most {LONGEST}")
    return fields


def _log(text: str) -> float:
    try:
        log = float(text) if text.isascii() else math.nan
    except ValueError:
        log = math.nan
    if not math.isfinite(log):
        raise ConfigError(f"the log nudge is {text[:20]!r}", "a number such as -0.03")
    return log
