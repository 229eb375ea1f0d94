"""Attacks on the console as data: texts that a venue, a person or a model could write, and requests nobody should send.

What must not happen is `test_console.py`'s.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from lotus_console.tables import Table
from lotus_console.views import PageView

MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>",
    "'><b onmouseover=alert(1)>",
    "javascript:alert(1)", "</td></table><iframe src=//evil.example>", "{{ 7 * 7 }}{% raw %}",
    "<style>*{display:none}</style>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>", "</textarea><script src=//evil.example/x.js></script>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>", "<base href=//evil.example/>",
    "<form action=//evil.example>",
    "\u202e<\u0000script>".replace("\u0000", ""), "<!--<script>", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<div hx-get='/x' hx-trigger='load' hx-vals='js:{a:alert(1)}'>", "x\" hx-on:load=\"alert(1)",
)  # fmt: skip
SQL = (
    "' OR '1'='1", "'; DROP TABLE lessons; --", "1; DELETE FROM day_commits", "') UNION SELECT version() --", "\\'; --",
    "$$; DROP TABLE control; $$", "%(branch)s", "%s%s%n", "day; SELECT pg_sleep(5)", "\"day\" DESC", "(SELECT 1)",
    "a' & !b",
    "a:*|b <-> ((", "\u0000", "null", "1e999", "٣", "\ud800".encode("utf-16", "surrogatepass").decode("utf-16",
    "replace"),
)  # fmt: skip
TRAVERSALS = (
    "/static/../server.py", "/static/..%2f..%2fpyproject.toml", "/static/%2e%2e/server.py", "/static//etc/passwd",
    "/static/....//server.py", "/static/..\\server.py", "/static/%00", "/static/vendor/../../server.py",
    "/../../etc/passwd",
    "//etc/passwd", "/static/%c0%ae%c0%ae/server.py", "/lessons/..%2f..%2fetc%2fpasswd", "/detectors/..%2f..%2fx",
    "/detectors/%00", "/experiments/../x/y/z", "/experiments/..%2f..%2f..%2fx/run/lessons", "/letters/..%2f/inbox/x",
    "/letters/pg_catalog/inbox/x", "/letters/sig/..%2f/x", "/tape?day=../../../../etc", "/tape?day=..%2f..%2fkeys",
    "/tape?day=%00", "/tape_minutes?day=../../..", "/tape_gaps?day=%2fetc%2fpasswd", "/tape_minutes?day=%00",
    "/api/v1/../../static/console.css/..", "/static", "/static/", "/static/vendor", "/lessons.exe", "/lessons.csv/..",
    "/.env", "/keys/sig", "/lotus.toml", "/openapi.json", "/docs", "/metrics", "/admin", "/debug", "/server-status",
)  # fmt: skip
METHODS = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G\tET")


@dataclass(frozen=True, slots=True)
class Attack:
    """One request: method, place, headers and body."""

    method: str
    place: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def questions(table: Table) -> Iterator[tuple[str, str]]:
    """Yield every parameter of a table with every text that should not become SQL or markup."""
    names = ["search", "order", "page", "limit", *(item.name for item in table.filters), "strange"]
    for k, name in enumerate(names):
        for text in SQL[k % 3 :: 3] + MARKUP[k % 6 :: 6]:
            yield name, text


def of_view(view: PageView) -> Iterator[tuple[str, str]]:
    """Yield the parameters of a view in the same way."""
    for name in (*view.accepts, "strange"):
        for text in SQL[::4] + MARKUP[::5]:
            yield name, text


def smuggled(host: str) -> Iterator[Attack]:
    """Yield requests whose headers could be read in two ways, or speak for somebody else."""
    for headers in (
        (("host", host), ("host", "evil.example")),
        (("host", host), ("Host", host)),
        (("host", "evil.example"),),
        (("host", f"{host}.evil.example"),),
        (("host", f"{host}@evil.example"),),
        (("host", f"evil.example#{host}"),),
        (("host", f" {host}"),),
        (("host", f"{host}\t"),),
        (("host", ""),),
        (("host", host.upper() + "."),),
        (("host", "[::1]:8000"),),
        (("host", "0.0.0.0:8000"),),
        (("host", "2130706433:8000"),),
        (("content-length", "0"), ("content-length", "10")),
        (("content-length", "5"), ("transfer-encoding", "chunked")),
        (("transfer-encoding", "chunked"), ("transfer-encoding", "identity")),
        (("cookie", "a=b"), ("cookie", "c=d")),
        (("origin", "http://evil.example"),),
        (("origin", "null"),),
        (("origin", f"http://{host}.evil.example"),),
        (("origin", f"http://{host}"), ("origin", "http://evil.example")),
        (("sec-fetch-site", "cross-site"),),
        (("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")),
        (("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")),
        (("authorization", "Bearer x"), ("authorization", "Bearer y")),
    ):
        yield Attack("GET", "/", headers)
    for name in (
        "x-forwarded-host",
        "x-forwarded-for",
        "x-forwarded-user",
        "x-remote-user",
        "x-original-url",
        "forwarded",
        "x-rewrite-url",
        "x-http-method-override",
        "x-real-ip",
        "remote-user",
        "via",
        "proxy-authorization",
    ):
        yield Attack("GET", "/", ((name, "127.0.0.1"), ("cookie", "lotus_console_8000=1.x.y")))


def forged(host: str, token: str) -> Iterator[Attack]:
    """Yield forms for the kill switch that no page of this session has made; `token` is the session's own."""
    place, kind = "/live/switch", ("content-type", "application/x-www-form-urlencoded")
    full = f"csrf={token}&move=halt&typed=halt&reason=x&who=y".encode()
    for body in (
        b"",
        b"move=halt&typed=halt&reason=x&who=y",
        b"csrf=&" + full.partition(b"&")[2],
        full.replace(b"csrf=", b"csrf=0", 1),
        full[:10] + b"0" + full[11:] if full[10:11] != b"0" else full[:10] + b"1" + full[11:],
        full + b"&csrf=" + token.encode(),
        full + b"&strange=1",
        full.replace(b"=halt&reason", b"=&reason"),
        full.replace(b"move=halt", b"move=nuke"),
        full.replace(b"move=halt", b"move=lift"),
        full.replace(b"reason=x", b"reason="),
        full.replace(b"reason=x", b"reason=%00"),
        full.replace(b"reason=x", b"reason=%ff%fe"),
        full.replace(b"&", b";"),
        full.replace(b"reason=x", b"reason=" + b"x" * 501),
        full.replace(b"reason=x", b"reason=" + b"x" * 70_000),
        b"&".join(b"f%d=1" % k for k in range(1000)) + b"&" + full,
        b"\xff" * 100,
        b"=" * 50_000,
        b"&" * 65_000,
    ):
        yield Attack("POST", place, (kind,), body)
    for headers in (
        (("content-type", "text/plain"),),
        (("content-type", "application/json"),),
        (("content-type", "multipart/form-data"),),
        (),
        (kind, ("content-type", "text/plain")),
        (kind, ("origin", "http://evil.example")),
        (kind, ("origin", "null")),
        (kind, ("sec-fetch-site", "cross-site")),
        (kind, ("sec-fetch-site", "same-site")),
        (kind, ("host", "evil.example")),
        (kind, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")),
        (kind, ("cookie", "lotus_console_8000=")),
        (kind, ("cookie", "lotus_console_8000=9999999999.a.b")),
        (kind, ("cookie", "x=y")),
        (kind, ("authorization", "Bearer x")),
    ):
        yield Attack("POST", place, headers, full)
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD"):
        yield Attack(method, f"{place}?{full.decode()}", (kind,), full)


def sow(connection: psycopg.Connection[Any], module: str) -> None:
    """Write every hostile text wherever somebody else's text may come to stand."""
    for k, text in enumerate(MARKUP):
        put = connection.execute
        put(f"INSERT INTO {module}_dead_letter VALUES (%s, 'inbox', %s, %s, %s)", [f"{k}{text}", text, text, text])  # type: ignore[call-overload]
        if module == "sig":
            put("INSERT INTO quarantine VALUES ('live', '2026-01-05', %s, %s, %s, %s)", [k, text, text, text])
            put("INSERT INTO tape_segments VALUES ('live', %s, '2026-01-05', %s, 1, 1, 1, 1, '{}', '[]', 'closed')",
                [text, text])  # fmt: skip
            put("INSERT INTO experiments VALUES ('main', '2026-01-05', 'run', %s, %s, %s)",
                [text, json.dumps({text: text, "inner": [{text: [text]}]}), text])  # fmt: skip
            checks = {"checks": [{"name": "live_parity", "text": text, "passed": False}], "notes": {}}
            put("INSERT INTO day_commits VALUES ('main', %s, 'signal_events', 'h', 1, 'i', %s)",
                [f"2026-01-{k + 1:02}", json.dumps(checks)])  # fmt: skip
            put("INSERT INTO live_runs VALUES (%s, 'main', %s, true)", [text, text])
            put("INSERT INTO control (command, body, taken_at) VALUES ('page: x', %s, now())",
                [json.dumps({"who": text, "reason": text, "event_id": text})])  # fmt: skip
            put("INSERT INTO dsi_experts VALUES (%s, %s, 1, %s, %s, 0, 1, 1, 'active')",
                [text, text, text, json.dumps({"idea": text})])  # fmt: skip
        if module == "dm":
            ticket = {"why": text, "status": text, "targets": [{"coin": text, "weight": 1}]}
            put("INSERT INTO dm_decisions VALUES (%s, 'main', %s, 'book', 1, %s)", [text, text, json.dumps(ticket)])
        if module == "tr":
            put("INSERT INTO tr_plans VALUES (%s, 'main', %s, %s, 'book', %s, %s, 'working', 1, %s, '{}', '{}')",
                [text, text, text, text, text, json.dumps({"side": text, "size": text, "strategy": text})])  # fmt: skip
            put("INSERT INTO tr_orders VALUES (%s, %s, %s, %s, %s, %s, 1, %s)",
                [*[text] * 6, json.dumps({"reason": text, "order": {"side": text}})])  # fmt: skip
        put(f"INSERT INTO {module}_replica VALUES (%s, %s, %s, '{{}}', '{{}}', '{{}}', %s, 1, 1, 1)",
            [text, text, [text], text])  # type: ignore[call-overload]  # fmt: skip
