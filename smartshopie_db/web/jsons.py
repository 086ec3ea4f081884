"""JSON for Flask: rows, records, dates and NaN as a browser can read them.

Rows and records become bytes in C and are put into the text where they belong, so no
Python object is made of their cells.  Secret columns show their last four characters.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import secrets
from typing import Any

from flask import Response
from flask.json.provider import DefaultJSONProvider

from .._core import Record, Rows

MARK = f"rows-{secrets.token_hex(16)}-"  # nobody can put it into the data


def encode(value: Any) -> bytes:
    """`value` as UTF-8 JSON (RFC 8259): NaN and infinities are null, dates ISO 8601."""
    pieces: list[bytes] = []

    def default(found: Any) -> Any:
        if isinstance(found, Rows | Record):
            pieces.append(found.to_json(redact=True))
            return f"{MARK}{len(pieces) - 1}"
        return plain(found)

    def text(allow: Any) -> str:
        return json.dumps(
            allow,
            default=default,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
        )

    try:
        made = text(value)
    except ValueError:  # a NaN, or a circle: then this raises as well
        pieces.clear()
        made = text(without_nan(value))
    body = made.encode("utf-8", "replace")
    for i, piece in enumerate(pieces):
        body = body.replace(f'"{MARK}{i}"'.encode(), piece, 1)
    return body


def plain(value: Any) -> Any:
    """What json.dumps does not know, as something it does."""
    if isinstance(value, datetime.date):  # an instant is one as well
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError(f"there is no JSON for {type(value).__name__}")


def without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Record | Rows):
        return value
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return value


class JSONProvider(DefaultJSONProvider):
    """`app.json = JSONProvider(app)`: jsonify() and returned dicts may hold rows,
    records, dates, instants and NaN."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        if kwargs:  # somebody's own layout, as the debugger's or a template's
            kwargs.setdefault("default", whole)
            return json.dumps(obj, **kwargs)
        return encode(obj).decode()

    def response(self, *args: Any, **kwargs: Any) -> Response:
        value = self._prepare_response_obj(args, kwargs)
        return Response(encode(value) + b"\n", mimetype=self.mimetype)


def whole(value: Any) -> Any:
    """As `plain`, with rows as lists and records as dicts."""
    if isinstance(value, Rows | Record):
        return json.loads(value.to_json(redact=True))
    return plain(value)
