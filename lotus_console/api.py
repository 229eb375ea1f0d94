"""`/api/v1`: what the pages show, as JSON, and its description in OpenAPI 3.1, made of the same declarations."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lotus_console.tables import LARGEST_PAGE, PAGE, Answer, ShownColumn, Table, ValueKind
from lotus_console.views import PageView
from lotus_store.json_values import plain

ROOT = "/api/v1"
TYPES = {
    **dict.fromkeys((ValueKind.COUNT, ValueKind.TIME, ValueKind.LEVEL), "integer"),
    **dict.fromkeys(
        (ValueKind.NUMBER, ValueKind.PRICE, ValueKind.BPS, ValueKind.USD, ValueKind.SHARE, ValueKind.LIFE), "number"
    ),
    ValueKind.FLAG: "boolean",
}
NAMES = re.compile(r"\{(\w+)\}")
REFUSAL = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "what was found, what was expected, the likely cause"}},
}


def table_answer(table: Table, answer: Answer) -> dict[str, Any]:
    """Return rows of a table as the API gives them: declared columns only."""
    names = [column.name for column in table.columns]
    rows = [{name: plain(row.get(name)) for name in names} for row in answer.rows]
    return {"title": answer.title, "rows": rows, "has_more": answer.has_more}


def described(tables: Sequence[Table], views: Sequence[PageView], version: str) -> dict[str, Any]:
    """Return the OpenAPI description of every table and view."""
    paths = {f"{ROOT}/{table.name}": {"get": _of_table(table)} for table in tables}
    paths |= {f"{ROOT}{view.place.rstrip('/') or '/home'}": {"get": _of_view(view)} for view in views}
    kinds = {view.answer: None for view in views if view.answer is not None}
    _, components = msgspec.json.schema_components(list(kinds), ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lotus",
            "version": version,
            "description": "Reads of one home. Times are ms UTC, amounts USD, returns bps; what is no number is null.",
        },
        "paths": paths,
        "components": {
            "schemas": {**components, "Refusal": REFUSAL},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _of_table(table: Table) -> dict[str, Any]:
    orders = [way + column.name for column in table.columns if column.is_ordered for way in ("", "-")]
    asked = [_parameter("page", {"type": "integer", "minimum": 1, "default": 1})]
    asked += [_parameter("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE})]
    if table.is_searched:
        asked.append(_parameter("search", {"type": "string"}))
    if orders:
        asked.append(_parameter("order", {"type": "string", "enum": orders}, "- for descending"))
    for item in table.filters:
        asked.append(_parameter(item.name, {"type": "string", **({"enum": [*item.choices]} if item.choices else {})}))
    row = {"type": "object", "properties": {c.name: _schema(c) for c in table.columns}, "additionalProperties": False}
    answer = {
        "type": "object",
        "required": ["title", "rows", "has_more"],
        "properties": {
            "title": {"type": "string"},
            "rows": {"type": "array", "items": row},
            "has_more": {"type": "boolean"},
        },
    }
    return _operation(f"list_{table.name}", table.question, asked, answer)


def _of_view(view: PageView) -> dict[str, Any]:
    names = NAMES.findall(view.place)
    asked = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]
    asked += [_parameter(name, {"type": "string"}) for name in view.accepts]
    answer: dict[str, Any] = {"type": "object"}
    if view.answer is not None:
        (answer,), _ = msgspec.json.schema_components([view.answer], ref_template="#/components/schemas/{name}")
    words = re.sub(r"\W+", "_", view.place).strip("_") or "home"
    return _operation(f"read_{words}", view.question, asked, answer)


def _operation(name: str, summary: str, asked: list[dict[str, Any]], answer: Mapping[str, Any]) -> dict[str, Any]:
    refused = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": asked,
        "responses": {
            "200": {"description": "as asked", "content": {"application/json": {"schema": answer}}},
            "400": {"description": "a question that cannot be answered", **refused},
            "401": {"description": "no token, or another one"},
            "404": {"description": "there is none of that name", **refused},
        },
    }


def _parameter(name: str, schema: Mapping[str, Any], about: str = "") -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **({"description": about} if about else {})}


def _schema(column: ShownColumn) -> dict[str, Any]:
    words = column.about or column.label
    unit = f", {column.unit}" if column.unit else ""
    return {"type": [TYPES.get(column.kind, "string"), "null"], "description": words + unit}
