"""`rescore`: check rules, score files, explain a lead, and see or pause what a deployment does."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rescore.errors import CommandMiswritten, RescoreError
from rescore.text import is_whole

FINE, PROBLEM, USAGE = 0, 1, 2
"""Exit codes: done; something given has a problem (said on stderr); the command was written wrongly."""

COMMANDS = {
    "check": "rules",
    "diff": "rules",
    "plan": "plan",
    "score": "files",
    "explain": "explain",
    "verify": "verify",
    "shadow": "shadow",
    "status": "operate",
    "holds": "holds",
    "review": "holds",
    "rollback": "holds",
    "deliveries": "deliveries",
    "updates": "updates",
    "connections": "connections",
    "overrides": "overrides",
    "persons": "persons",
    "restored": "restored",
    "pause": "operate",
    "resume": "operate",
    "erase": "erase",
    "object": "objection",
    "quarantine": "quarantine",
    "maintain": "maintain",
    "setup": "setup",
    "describe": "doctor",
    "doctor": "doctor",
}
"""Each command, and the module of this room whose function, or group of commands, it is."""


class Commands(TyperGroup):
    """Imports a command when it is asked for: `status` need not wait for engines that only `score` runs."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All of them, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, if there is one."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(f"rescore.cli.{COMMANDS[cmd_name]}"), cmd_name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(found)
            found = alone
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Commands,
    name="rescore",
    help="Lead scoring as code for Apache Airflow.",
    invoke_without_command=True,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        try:
            _refuse_what_is_no_text(given)
            app(args=given)
        finally:
            sys.stdout.flush()
    except CommandMiswritten as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(USAGE)
    except RescoreError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(PROBLEM)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FINE)
    except OSError as problem:
        sys.stderr.write(f"{_in_a_sentence(problem)}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries again at its end
        sys.exit(PROBLEM)


def _in_a_sentence(problem: OSError) -> str:
    """What the system said; engines raise it with a text of their own, and no file."""
    if problem.strerror is None:
        return str(problem).partition("\n")[0]
    return f"{problem.filename or 'the output'}: {problem.strerror}"


def _refuse_what_is_no_text(arguments: Sequence[str]) -> None:
    """Refuse a word that no store could keep, before any command hears of it.

    Raises:
        CommandMiswritten: Names it by its place, because it may be a person's.
    """
    for place, argument in enumerate(arguments, start=1):
        if not is_whole(argument):
            raise CommandMiswritten(
                f"word {place} after `rescore` is not UTF-8 text; write it in UTF-8, or rename the file"
            )


if __name__ == "__main__":
    main()
