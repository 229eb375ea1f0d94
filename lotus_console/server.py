"""The server: routes made of the sections, headers of safety on every answer, refusals in the form of the errors.

Pages are read in worker threads; what is answered is the sections'. Who may enter is `access.door`.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import psycopg_pool
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from lotus.errors import ConfigError, LotusError
from lotus_console import api, exports, sections
from lotus_console.access.sessions import Act, proven_form, session_of
from lotus_console.acts import Acts
from lotus_console.changes import Changes
from lotus_console.reading import HomeReading
from lotus_console.render import environment, scales_of
from lotus_console.safety import SafetyHeaders
from lotus_console.steering import Steering
from lotus_console.tables import Table
from lotus_console.views import PageView, Section
from lotus_store.build import VERSION
from lotus_store.json_values import plain

HERE: Final = Path(__file__).parent
PARQUET: Final = "application/vnd.apache.parquet"


def console(reading: HomeReading) -> Starlette:
    """Return the application over one home."""
    pages = Pages(reading)
    changes = Changes(reading)
    acts, steering = Acts(reading, pages.act_page), Steering(reading, pages.act_page)

    @asynccontextmanager
    async def life(_app: Starlette) -> Any:
        async with changes.watched():
            yield

    routes: list[BaseRoute] = [
        Route("/events", changes.stream),
        Route(f"{api.ROOT}/openapi.json", pages.description),
        Mount("/static", StaticFiles(directory=HERE / "static")),
        *acts.routes(),
        *steering.routes(),
        *(route for section in sections.SECTIONS for route in pages.routes(section)),
    ]
    handlers: Mapping[Any, Any] = {
        LotusError: pages.refused,
        LookupError: pages.missing,
        404: pages.missing,
        psycopg.DataError: pages.unlike,
        psycopg.errors.QueryCanceled: pages.too_long,
        psycopg_pool.PoolTimeout: pages.away,
        psycopg.OperationalError: pages.away,
        psycopg.InterfaceError: pages.away,
    }
    app = Starlette(routes=routes, middleware=[Middleware(SafetyHeaders)], exception_handlers=handlers, lifespan=life)
    app.router.redirect_slashes = False
    return app


class Pages:
    """The pages of one reading."""

    def __init__(self, reading: HomeReading) -> None:
        """Keep the reading; nothing is read yet."""
        self._reading = reading
        every = sections.SECTIONS
        self._tables = [table for section in every for table in section.tables]
        self._views = [view for section in every for view in section.views]

    def routes(self, section: Section) -> list[BaseRoute]:
        """Return the routes of a section: tables in four forms, views as page and JSON, acts by POST."""
        out: list[BaseRoute] = []
        for table in section.tables:
            place = f"/{table.name}"
            out += [
                Route(place, self._table_page(section, table)),
                Route(f"{place}.csv", self._table_csv(table)),
                Route(f"{place}.parquet", self._table_parquet(table)),
                Route(api.ROOT + place, self._table_json(table)),
            ]
        for view in section.views:
            out += [
                Route(view.place, self._view_page(section, view)),
                Route(api.ROOT + (view.place if view.place != "/" else "/home"), self._view_json(view)),
            ]
        return out + [Route(act.place, self._act(act), methods=["POST"]) for act in section.acts]

    def description(self, _request: Request) -> Response:
        """Answer with the API's description."""
        return JSONResponse(api.described(self._tables, self._views, VERSION))

    def act_page(self, request: Request, template: str, **given: Any) -> Response:
        """Answer with a page about an act."""
        return self._html(request, sections.CURATION, template, **given)

    def refused(self, request: Request, error: Exception) -> Response:
        """Answer a question that cannot be answered with the error's words."""
        return self._wrong(request, 400, str(error))

    def unlike(self, request: Request, _error: Exception) -> Response:
        """Answer a value that a column of the ledger cannot have."""
        return self._wrong(request, 400, "a value that its column cannot have; expected: one as the table shows")

    def missing(self, request: Request, error: Exception) -> Response:
        """Answer for a subject or place that is not there."""
        words = str(error.args[0]) if isinstance(error, LookupError) and error.args else "there is no such page"
        return self._wrong(request, 404, words)

    def too_long(self, request: Request, _error: Exception) -> Response:
        """Answer for a question that took the database too long."""
        return self._wrong(request, 503, "the ledger did not answer within 5 s; expected: a narrower question")

    def away(self, request: Request, _error: Exception) -> Response:
        """Answer while no server of the ledger answers; the switch needs none."""
        words = "the ledger cannot be reached; expected: its server running; likely cause: it stopped, or starts"
        return self._wrong(request, 503, words)

    def _table_page(self, section: Section, table: Table) -> Callable[[Request], Response]:
        def page(request: Request) -> Response:
            question = table.asked(request.query_params)
            answer = table.source(self._reading, question)
            given = dict(request.query_params)
            scales = scales_of(table, answer.rows)
            part = request.headers.get("hx-target") == "table"
            return self._html(
                request, section, "table_part.html" if part else "table.html",
                title=answer.title or table.label, table=table, answer=answer, question=question, given=given,
                place=f"/{table.name}", scales=scales,
            )  # fmt: skip

        return page

    def _table_json(self, table: Table) -> Callable[[Request], Response]:
        def read(request: Request) -> Response:
            answer = table.source(self._reading, table.asked(request.query_params))
            return JSONResponse(api.table_answer(table, answer))

        return read

    def _table_csv(self, table: Table) -> Callable[[Request], Response]:
        def read(request: Request) -> Response:
            lines = exports.csv_lines(self._reading, table, table.asked(request.query_params))
            return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=_saved(table.name, "csv"))

        return read

    def _table_parquet(self, table: Table) -> Callable[[Request], Response]:
        def read(request: Request) -> Response:
            content = exports.parquet_bytes(self._reading, table, table.asked(request.query_params))
            return Response(content, media_type=PARQUET, headers=_saved(table.name, "parquet"))

        return read

    def _view_page(self, section: Section, view: PageView) -> Callable[[Request], Response]:
        def page(request: Request) -> Response:
            facts = self._facts(view, request)
            given = dict(request.query_params)
            return self._html(
                request, section, view.template, **{"title": view.label, "given": given, "view": view, **facts}
            )

        return page

    def _view_json(self, view: PageView) -> Callable[[Request], Response]:
        def read(request: Request) -> Response:
            return Response(json.dumps(plain(self._facts(view, request)), default=str), media_type="application/json")

        return read

    def _act(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def done(request: Request) -> Response:
            given = {**await proven_form(request, act.fields), **request.path_params}
            return RedirectResponse(await run_in_threadpool(act.do, self._reading, given, session_of(request)), 303)

        return done

    def _facts(self, view: PageView, request: Request) -> dict[str, Any]:
        strange = sorted(set(request.query_params) - set(view.accepts))
        if strange:
            found = f"{view.label} has no {strange[0][:40]!r}"
            raise ConfigError(found, f"one of {', '.join(view.accepts) or 'no parameter'}")
        return view.facts(self._reading, {**request.query_params, **request.path_params})

    def _html(self, request: Request, section: Section | None, template: str, **given: Any) -> Response:
        shared = {
            "sections": sections.SECTIONS,
            "section": section,
            "branch": self._reading.settings.branch,
            "dagster": self._reading.dagster_url,
            "path": request.url.path,
            "csrf": session_of(request).csrf,
        }
        return HTMLResponse(environment().get_template(template).render(**shared, **given))

    def _wrong(self, request: Request, status: int, words: str) -> Response:
        if request.url.path.startswith(api.ROOT):
            return JSONResponse({"error": words}, status)
        response = self._html(request, None, "wrong.html", title="That cannot be shown", words=words)
        response.status_code = status
        return response


def _saved(name: str, ending: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="lotus-{name}.{ending}"'}
