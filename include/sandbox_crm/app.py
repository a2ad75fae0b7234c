"""Puts the sandbox CRM together."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from sandbox_crm import activities, control, objects, page, removal, settings, tasks
from sandbox_crm.faults import Faults
from sandbox_crm.gate import Gate
from sandbox_crm.sandbox import Limits, Sandbox
from sandbox_crm.store import Store
from sandbox_crm.vendor import Refusal, refuse, refuse_input, refuse_number
from sandbox_crm.world import World


def create_app(
    world: World,
    *,
    token: str,
    webhook_secret: str,
    limits: Limits | None = None,
    latency: float = 0.0,
    search_lag: float = 0.0,
    faults: bool = False,
) -> FastAPI:
    """A CRM server that knows this world.

    Args:
        world: The contacts and what they do.
        token: The private app token calls must bear.
        webhook_secret: The Standard Webhooks secret of `/sandbox/hooks/...`, `whsec_` and base64.
        limits: How many calls are allowed; the vendor's numbers unless given.
        latency: Seconds each API call waits first.
        search_lag: Seconds until a search sees what was written; reading by id sees it at once.
        faults: Whether `POST /sandbox/faults` works.
    """
    sandbox = Sandbox(
        Store(world), token, webhook_secret, limits or Limits(), world.planted, search_lag=search_lag
    )
    app = FastAPI(title="Sandbox CRM", openapi_url=None)
    app.state.sandbox = sandbox
    app.state.faults = Faults() if faults else None
    app.add_exception_handler(Refusal, refuse)
    app.add_exception_handler(RequestValidationError, refuse_input)
    app.add_exception_handler(OverflowError, refuse_number)
    for room in (tasks, removal, objects, activities, settings, control, page):
        app.include_router(room.router)
    app.add_middleware(Gate, sandbox=sandbox, latency=latency, faults=app.state.faults)
    return app
