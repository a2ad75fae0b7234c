"""Serves the reports on plans: they hold lead data, so they stay files and need a login."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import Annotated

from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi import Path as PathParam
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.middleware.base import RequestResponseEndpoint

from rescore.plan import figures
from rescore.plan.plan import Plan
from rescore.settings import Settings
from rescore_airflow.links import login_url

PREFIX = "/rescore"
SHOWN = 100
"""So many plans are listed, the newest first."""

HEADERS = {
    # a report is one file: nothing in it may load, send or run anything, whatever a CRM's text says
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

PlanHash = Annotated[str, PathParam(pattern="^[0-9a-f]{64}$")]
GONE = "there is no report on that plan (any more); make the plan again"

app = FastAPI(
    # Airflow lets anybody into a plugin's pages unless they ask for a user themselves
    dependencies=[Depends(get_user), Depends(requires_access_dag("GET", param_dag_id="review_hold"))],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)


@app.middleware("http")
async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Every answer, an error's too, says what a browser must not do with it."""
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


@app.exception_handler(401)
async def to_login(request: Request, problem: HTTPException) -> Response:
    """A person who follows a link without being logged in logs in first; a program is told."""
    if "text/html" not in request.headers.get("accept", ""):
        return await http_exception_handler(request, problem)
    page = request.scope["path"].removeprefix(request.scope["root_path"])
    return RedirectResponse(login_url(PREFIX + page), status_code=303)


@app.exception_handler(RequestValidationError)
async def no_hash(request: Request, problem: RequestValidationError) -> Response:
    """What is no plan's hash is the address of no plan."""
    return await http_exception_handler(request, HTTPException(404, GONE))


@app.get("/plans")
def index() -> Response:
    """The plans there are, by their opening lines."""
    found = sorted(_reports().glob("*/plan.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    rows = "".join(map(_row, found[:SHOWN])) or "<li>No rules change was planned yet.</li>"
    return HTMLResponse(PAGE.format(rows=rows))


@app.get("/plans/{plan_hash}")
def report(plan_hash: PlanHash) -> Response:
    """One report, with pictures."""
    return _file(plan_hash, "report.html", "text/html; charset=utf-8")


@app.get("/plans/{plan_hash}/markdown")
def markdown(plan_hash: PlanHash) -> Response:
    """The same for a pull request."""
    return _file(plan_hash, "plan.md", "text/plain; charset=utf-8")


def _file(plan_hash: str, name: str, media_type: str) -> Response:
    path = _reports() / plan_hash / name
    if not path.is_file():
        raise HTTPException(404, GONE)
    return FileResponse(path, media_type=media_type)


def _reports() -> Path:
    return Settings.from_environment(os.environ).reports_dir


def _row(file: Path) -> str:
    plan = Plan.from_json(file.read_bytes())
    return (
        f'<li><a href="{PREFIX}/plans/{plan.plan_hash}"><b>{html.escape(plan.scorecard)}</b> '
        f"{figures.versions(plan)}, as of {plan.as_of:%Y-%m-%d %H:%M} UTC</a>"
        f"<p>{html.escape(plan.opening_line())}</p><p>{figures.verdict(plan)}.</p></li>"
    )


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Plans</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}
ul {{ list-style: none; padding: 0; }}
li {{ padding: .8rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }}
p {{ margin: .2rem 0 0; opacity: .75; }}
</style></head><body><h1>Plans</h1>
<p>What each rules change would do, or did.</p><ul>{rows}</ul></body></html>"""
