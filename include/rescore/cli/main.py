"""`rescore`: check rules, score files, explain a lead, and see or pause what a deployment does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import typer

from rescore.cli import files, operate, setup
from rescore.errors import RescoreError

FINE, PROBLEM, USAGE = 0, 1, 2
"""Exit codes: done; something given has a problem (said on stderr); the command was written wrongly."""

app = typer.Typer(
    name="rescore",
    help="Lead scoring as code for Apache Airflow.",
    invoke_without_command=True,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(files.check)
app.command()(files.score)
app.command()(operate.explain)
app.command()(operate.status)
app.command()(operate.pause)
app.command()(operate.resume)
app.add_typer(setup.app, name="setup")


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", help="Say which Rescore this is, and exit.")] = False,
) -> None:
    """Lead scoring as code for Apache Airflow."""
    if version:
        print(f"rescore {metadata.version('rescore')}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit; no traceback reaches a user."""
    try:
        app(args=list(arguments) if arguments is not None else None)
    except RescoreError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(PROBLEM)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FINE)


if __name__ == "__main__":
    main()
