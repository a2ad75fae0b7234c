"""The page a person looks at: leads with their scores, bands as a picture, and the webhooks received."""

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from fastapi import APIRouter, Response
from jinja2 import Environment, FileSystemLoader

from sandbox_crm.display import ago, combined, summary
from sandbox_crm.objects import InSandbox
from sandbox_crm.sandbox import Delivery, Sandbox

PAGE_SIZE: Final = 50
DELIVERIES_SHOWN: Final = 50
TEXT_SHOWN: Final = 120
SCORE: Final = re.compile(r"^(?P<card>rescore(_\w+)?)_score$")
LEADS: Final = """
    (SELECT id, properties, CAST(properties ->> :score AS REAL) AS score, properties ->> :band AS band,
            properties ->> :changed_at AS changed_at, properties ->> :reasons AS reasons
     FROM objects WHERE type = 'contacts' AND visible = 1)
"""
MATCHES: Final = """
    (:wanted = '' OR band = :wanted) AND (:q = '' OR instr(lower(
        coalesce(properties ->> '$.firstname', '') || ' ' || coalesce(properties ->> '$.lastname', '') ||
        ' ' || coalesce(properties ->> '$.company', '') || ' ' || coalesce(properties ->> '$.jobtitle', '') ||
        ' ' || coalesce(properties ->> '$.email', '')), :q))
"""
SORTS: Final = {
    "score": "score IS NULL, score DESC, id",
    "name": "lower(coalesce(properties ->> '$.lastname', '')), id",
    "company": "lower(coalesce(properties ->> '$.company', '')), id",
    "changed": "changed_at IS NULL, changed_at DESC, id",
}
router = APIRouter()
templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
templates.filters |= {"ago": ago, "combined": combined}


@dataclass(frozen=True)
class Card:
    """The properties one scorecard is written to; `prefix` is what their names begin with."""

    prefix: str
    label: str = ""

    def path(self, name: str) -> str:
        """The JSON path of one of its values."""
        return f"$.{self.prefix}_{name}"


@router.get("/")
async def leads_page(
    sandbox: InSandbox,
    card: str = "",
    q: str = "",
    band: str = "",
    sort: Literal["score", "name", "company", "changed"] = "score",
    page: int = 1,
) -> Response:
    """Leads by score; `q` looks in name, company, title and e-mail."""
    cards = _cards(sandbox)
    shown = next((known for known in cards if known.prefix == card), cards[0])
    found = _leads(sandbox, shown, q=q, band=band, sort=sort, page=max(1, page))
    nonce = secrets.token_urlsafe(16)
    asked = {"card": card, "q": q, "band": band, "sort": sort}
    html = templates.get_template("page.html").render(
        cards=cards,
        card=shown,
        bands=_bands(sandbox, shown),
        asked=asked,
        page=max(1, page),
        pages=-(-found["total"] // PAGE_SIZE) or 1,
        rows=sandbox.store.counts(),
        writes=sandbox.records_written,
        updates=sandbox.batch_updates,
        deliveries=[_delivery(known) for known in reversed(sandbox.deliveries.values())][:DELIVERIES_SHOWN],
        received=len(sandbox.deliveries),
        rejected=sandbox.rejected_deliveries,
        now=sandbox.clock(),
        nonce=nonce,
        **found,
    )
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action 'self'"
    return Response(html, media_type="text/html", headers={"Content-Security-Policy": policy})


def _cards(sandbox: Sandbox) -> list[Card]:
    """The scorecards whose properties somebody created, or one that has no scores yet."""
    cards = [
        Card(found["card"], known.label.removesuffix(": score"))
        for name, known in sandbox.properties.items()
        if (found := SCORE.match(name))
    ]
    return sorted(cards, key=lambda card: card.prefix) or [Card("rescore")]


def _leads(sandbox: Sandbox, card: Card, *, q: str, band: str, sort: str, page: int) -> dict[str, Any]:
    """One page of leads, how many there are, and the highest score for the meters."""
    parameters: dict[str, Any] = {
        name: card.path(name) for name in ("score", "band", "reasons", "changed_at")
    }
    parameters |= {"wanted": band, "q": q.strip().lower(), "offset": (page - 1) * PAGE_SIZE}
    db = sandbox.store.db
    total, scored, highest = db.execute(
        f"SELECT count(*), count(score), max(score) FROM {LEADS} WHERE {MATCHES}",  # noqa: S608 - our own text
        parameters,
    ).fetchone()
    rows = db.execute(
        f"SELECT * FROM {LEADS} WHERE {MATCHES} ORDER BY {SORTS[sort]} LIMIT {PAGE_SIZE} OFFSET :offset",  # noqa: S608
        parameters,
    ).fetchall()
    return {
        "leads": [dict(row) | {"properties": _shortened(json.loads(row["properties"]))} for row in rows],
        "total": total,
        "scored": scored,
        "highest": highest or 1,
    }


def _bands(sandbox: Sandbox, card: Card) -> list[dict[str, Any]]:
    """How many scored leads each band holds, best band first, with its height in the picture."""
    rows = sandbox.store.rows(
        "SELECT coalesce(properties ->> ?, '–') AS band, count(*) AS leads FROM objects"
        " WHERE type = 'contacts' AND visible = 1 AND properties ->> ? IS NOT NULL"
        " GROUP BY 1 ORDER BY 1 = '–', 1",
        [card.path("band"), card.path("score")],
    )
    most = max((row["leads"] for row in rows), default=1)
    total = sum(row["leads"] for row in rows) or 1
    return [
        {
            "name": row["band"],
            "leads": row["leads"],
            "height": max(2, round(100 * row["leads"] / most)),
            "share": row["leads"] / total,
        }
        for row in rows
    ]


def _delivery(known: Delivery) -> dict[str, Any]:
    return {
        "hook": known.hook,
        "id": known.id,
        "times": known.times,
        "received_at": known.received_at,
        "summary": summary(known.body),
        "body": json.dumps(known.body, indent=2, ensure_ascii=False),
    }


def _shortened(properties: dict[str, Any]) -> dict[str, str]:
    """Texts short enough for a row of a table."""
    texts = {name: str(value or "").replace("\x00", "␀") for name, value in properties.items()}
    return {
        name: text if len(text) <= TEXT_SHOWN else text[:TEXT_SHOWN] + "…" for name, text in texts.items()
    }
