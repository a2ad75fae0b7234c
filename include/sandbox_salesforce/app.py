"""Puts the sandbox organisation together."""

from __future__ import annotations

from fastapi import FastAPI

from sandbox_crm.faults import Faults
from sandbox_salesforce import api, bulk, control, entrance
from sandbox_salesforce.gate import Gate
from sandbox_salesforce.organisation import Organisation
from sandbox_salesforce.vendor import Refusal, refuse


def create_app(organisation: Organisation) -> FastAPI:
    """A server that speaks for this organisation; `state.faults` are those still to come."""
    app = FastAPI(title="Sandbox Salesforce", openapi_url=None)
    app.state.organisation = organisation
    app.state.faults = Faults()
    app.add_exception_handler(Refusal, refuse)
    for room in (entrance, bulk, control, api):
        app.include_router(room.router)
    app.add_middleware(Gate, organisation=organisation, faults=app.state.faults)
    return app
