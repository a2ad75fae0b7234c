"""How the vendor writes errors, dates and pages."""

import base64
import binascii
import json
import uuid
from datetime import UTC, datetime
from typing import Any, NoReturn

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

VERSION = "2026-09"


class Refusal(Exception):
    """An answer other than success, in the vendor's words."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "status": "error",
            "message": message,
            "correlationId": str(uuid.uuid4()),
            "category": category,
        } | more


async def refuse(_: Request, refusal: Exception) -> JSONResponse:
    """Turns a `Refusal` into the answer it describes."""
    assert isinstance(refusal, Refusal)  # noqa: S101 - registered for this class only
    return JSONResponse(refusal.body, refusal.status)


async def refuse_input(_: Request, error: Exception) -> JSONResponse:
    """The vendor answers 400, not FastAPI's 422, to a body or a parameter it cannot read."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    refusal = Refusal(400, "VALIDATION_ERROR", f"Invalid input JSON on {where}: {first['msg']}")
    return JSONResponse(refusal.body, refusal.status)


async def refuse_number(_: Request, error: Exception) -> JSONResponse:
    """A number too large for the database is a bad request, not a fault of the server."""
    refusal = Refusal(400, "VALIDATION_ERROR", f"A number in the request is out of range: {error}")
    return JSONResponse(refusal.body, refusal.status)


def bad_request(message: str, **more: Any) -> NoReturn:
    """Refuse the whole call."""
    raise Refusal(400, "VALIDATION_ERROR", message, **more)


def moment(text: str, *, of: str) -> int:
    """Epoch milliseconds from either form the vendor takes: digits, or ISO 8601."""
    if text.isdecimal():
        return int(text)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        bad_request(f"{of}: {text!r} is not a date; write epoch milliseconds or ISO 8601")
    return round((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)


def bookmark(when: int, number: int) -> str:
    """An opaque paging token: rows that appear meanwhile do not shift the pages behind it."""
    return base64.urlsafe_b64encode(json.dumps([when, number]).encode()).decode().rstrip("=")


def opened(token: str) -> list[int]:
    """The position a bookmark stands for."""
    try:
        position = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        when, number = (int(part) for part in position)
    except (binascii.Error, ValueError, TypeError):
        bad_request("The paging token is not one of ours")
    return [when, number]
