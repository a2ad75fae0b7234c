"""Serves a sandbox from the command line, on a port that is asked for before anything is made."""

import socket

import uvicorn
from fastapi import FastAPI

from sandbox_crm.faults import CuttableProtocol


def port_problem(host: str, port: int) -> str | None:
    """Why nobody can listen there, with the way out; None when somebody can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or error
            return f"port {port} on {host} cannot be used ({reason}); choose another with --port"
    return None


def serve(app: FastAPI, host: str, port: int) -> None:
    """Until it is interrupted."""
    uvicorn.run(app, host=host, port=port, log_level="warning", http=CuttableProtocol, lifespan="off")
