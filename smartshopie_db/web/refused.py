"""A request that is answered with an error, and the one shape of such answers."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Becomes an answer of `status`; `param` names what of the request is wrong, and
    `place` says where in a body that is: table, column, row.

    The message is for the caller: no SQL, no path, no text of another's exception.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        place: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.headers = headers or {}
        self.place = place or {}

    def body(self) -> dict[str, Any]:
        error = {"code": self.code, "param": self.param, "message": self.message}
        return {"success": False, "error": {**error, **self.place}}


def bad(param: str, message: str) -> Refused:
    """400 for a parameter."""
    return Refused(400, "bad_parameter", message, param)
