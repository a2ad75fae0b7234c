"""The page a person looks at: leads with their scores, and the webhooks received."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
async def leads_page() -> str:
    """Placeholder until the page is drawn."""
    return "<h1>Sandbox CRM</h1>"
