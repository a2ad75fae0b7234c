"""How Salesforce writes an error."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse


class Refusal(Exception):
    """An answer other than success: a list with one entry."""

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields or []

    @property
    def body(self) -> list[dict[str, Any]]:
        """As it is sent."""
        said: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return [said | ({"fields": self.fields} if self.fields else {})]

    @property
    def row(self) -> dict[str, Any]:
        """As it stands in the result of one record of many."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


async def refuse(_: Request, refusal: Exception) -> JSONResponse:
    """Turns a `Refusal` into the answer it describes."""
    assert isinstance(refusal, Refusal)  # noqa: S101 - registered for this class only
    return JSONResponse(refusal.body, refusal.status)
