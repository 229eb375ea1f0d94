"""Acts on beliefs: asked in a form, shown as what they would change, then sent as the same signed message as elsewhere.

The only writes of the console. Each is a row with its author; which act may do what is decided in `lotus.weave.review`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lotus.errors import ConfigError
from lotus.weave.review import LIFTS, REASON_CODES, ActKind, ReviewAct
from lotus_console.access.forms import form_of
from lotus_console.access.sessions import CSRF, PageSession, session_of
from lotus_console.pages.curation import FIELDS, NEEDS, WORDS, lifted_words, preview_of, target_of
from lotus_console.reading import HomeReading
from lotus_console.render import address
from lotus_herald.keys import Keys
from lotus_store.databases import Databases

LONGEST: Final = {"author": 128, "note": 1000, "target": 64, "kind": 16, "reason_code": 32, "factor": 24,
                  "lifts": 64, "confidence": 24}  # fmt: skip
MAY_LACK: Final = ("lifts", "confidence")
Html = Callable[..., Response]


class Acts:
    """The forms of acts of one home; `html` makes a page of a template."""

    def __init__(self, reading: HomeReading, html: Html) -> None:
        """Read nothing yet."""
        self._reading, self._html = reading, html

    def routes(self) -> list[Route]:
        """Return the pages of an act: its form, what it would change, and the sending."""
        return [
            Route("/curation/act/{kind}", self.form),
            Route("/curation/preview", self.preview, methods=["POST"]),
            Route("/curation/send", self.send, methods=["POST"]),
        ]

    def form(self, request: Request) -> Response:
        """Answer with the form of one act on one target."""
        kind, session = request.path_params["kind"], session_of(request)
        fixed = {"kind": kind, "target": request.query_params.get("target", "")}
        accepted = {"target", "lifts"} if kind == "approve" else {"target"}
        if set(request.query_params) - accepted:
            raise ConfigError(f"{kind[:20]} has other parameters", ", ".join(sorted(accepted)))
        subject = target_of(self._reading, kind, fixed["target"])
        title = f"{WORDS[kind].capitalize()} {subject['name']}?"
        if request.query_params.get("lifts"):
            fixed["lifts"] = request.query_params["lifts"]
            title = f"Leave out {lifted_words(self._reading, fixed['lifts'], fixed['target'])}?"
        return self._html(
            request, "act.html", title=title, subject=subject, fixed=fixed,
            needs=NEEDS[kind], reasons=REASON_CODES, who=session.who, token=session.bound("form", fixed),
        )  # fmt: skip

    async def preview(self, request: Request) -> Response:
        """Answer with what an act would have changed, and the button that sends it."""
        given, session = await form_of(request), session_of(request)
        token = given.pop(CSRF, "")
        fixed: dict[str, str] = {name: given[name] for name in ("kind", "target", "lifts") if name in given}
        session.check(token, "form", fixed)
        return await run_in_threadpool(self._previewed, request, given | _author(session), session)

    def _previewed(self, request: Request, given: Mapping[str, str], session: PageSession) -> Response:
        fields, act = asked_act(given, self._reading.settings.branch)
        subject = target_of(self._reading, act.kind, act.target)
        what = f"{WORDS[act.kind].capitalize()} {subject['name']}" + (
            f" ({act.reason_code})" if act.reason_code else ""
        )
        if "lifts" in fields:
            what = f"Leave out {lifted_words(self._reading, fields['lifts'], act.target)}"
        return self._html(
            request, "act_preview.html", subject=subject, what=what, act=act, fields=fields,
            token=session.bound("send", fields), **preview_of(self._reading, act),
        )  # fmt: skip

    async def send(self, request: Request) -> Response:
        """Send the act that was shown, and lead back to the queue with its undo."""
        given, session = await form_of(request), session_of(request)
        session.check(given.pop(CSRF, ""), "send", given)
        fields, act = asked_act(given, self._reading.settings.branch)
        done = await run_in_threadpool(self._sent, act, confidence_of(fields))
        return RedirectResponse(address("/curation", {"done": done}), status_code=303)

    def _sent(self, act: ReviewAct, confidence: float | None) -> str:
        """Do an act with the rights of the command line; return its name."""
        from lotus_modules.priors.rollback import roll_back, submit  # the modules' handlers, a tenth of the start-up

        target_of(self._reading, act.kind, act.target)
        if act.reason_code.startswith(LIFTS):
            lifted_words(self._reading, act.reason_code.removeprefix(LIFTS), act.target)
        settings = self._reading.settings
        keys = Keys(settings.keys_root)
        with Databases(settings) as databases:
            if act.kind != "rollback":
                return submit(databases, act, keys, confidence=confidence).act_id
            return f"rollback-{roll_back(databases, act, keys).priors_ver}"


def _author(session: PageSession) -> dict[str, str]:
    """Return the author where a trusted proxy says who asks: nobody speaks for another one there."""
    return {"author": session.who} if session.who else {}


def asked_act(given: Mapping[str, str], branch: str) -> tuple[dict[str, str], ReviewAct]:
    """Return the fields of a form that count, and the act that they say; raises `ConfigError` for a wrong one."""
    kind = given.get("kind", "")
    if kind not in NEEDS:
        raise ConfigError(f"the act is {kind[:20]!r}", f"one of {', '.join(NEEDS)}")
    strange = sorted(set(given) - {*FIELDS, *NEEDS[kind]})
    if strange:
        raise ConfigError(f"the form has a field {strange[0][:40]!r}", f"{', '.join((*FIELDS, *NEEDS[kind]))}")
    fields = {
        name: given.get(name, "").strip()
        for name in (*FIELDS, *NEEDS[kind])
        if name not in MAY_LACK or given.get(name, "").strip()
    }
    confidence_of(fields)
    long = next((name for name, text in fields.items() if len(text) > LONGEST[name]), None)
    if long is not None:
        raise ConfigError(f"{long} of {len(fields[long]):,} characters", f"at most {LONGEST[long]}")
    if not fields["author"]:
        raise ConfigError("no author", "the name of who speaks")
    reason = LIFTS + fields["lifts"] if "lifts" in fields else fields.get("reason_code", "")
    if "reason_code" in fields and fields["reason_code"] not in REASON_CODES:
        raise ConfigError(f"the reason is {fields['reason_code'][:20]!r}", f"one of {', '.join(REASON_CODES)}")
    return fields, ReviewAct(
        act_id="", branch=branch, asof_day="", kind=_kind(kind), target=fields["target"], author=fields["author"],
        reason_code=reason, factor=_factor(fields.get("factor", "1")), note=fields["note"],
    )  # fmt: skip


def _kind(text: str) -> ActKind:
    found: Any = next(kind for kind in get_args(ActKind) if kind == text)
    kind: ActKind = found
    return kind


def confidence_of(fields: Mapping[str, str]) -> float | None:
    """Return the author's probability that an act is right, None where none is said; refuses what is none."""
    if "confidence" not in fields:
        return None
    confidence = _number(fields["confidence"])
    if not 0.0 <= confidence <= 1.0:
        raise ConfigError(f"the confidence is {fields['confidence'][:20]!r}", "a probability, from 0 to 1")
    if "lifts" in fields:
        raise ConfigError("a confidence in an act that leaves another out", "none", "such an act has no outcome")
    return confidence


def _factor(text: str) -> float:
    factor = _number(text)
    if not 0.0 < factor <= 1.0:
        raise ConfigError(f"the factor is {text[:20]!r}", "a number above 0, at most 1")
    return factor


def _number(text: str) -> float:
    try:
        return float(text) if text.isascii() else math.nan
    except ValueError:
        return math.nan
