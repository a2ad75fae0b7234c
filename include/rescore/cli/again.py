"""What commands that do things again have in common: counts in words, and options in their place."""

from __future__ import annotations

from collections import Counter

import typer

from rescore.errors import CommandMiswritten

DONE = ("again", "discarded", "fired")
"""The counts of what a command did; whatever else is counted was left alone."""


def tell(counts: Counter[str], *, dry_run: bool) -> None:
    """Say what was done, then what was left alone and why."""
    said = _listed(counts, done=True) or "nothing to do"
    if left := _listed(counts, done=False):
        said += f"; left alone: {left}"
    print(f"would be: {said}" if dry_run else said)


def refuse_options_before(context: typer.Context) -> None:
    """Refuse what chooses for a list where a command follows, which would not hear of it.

    Raises:
        CommandMiswritten: An option stands before the command's name.
    """
    sources = map(context.get_parameter_source, context.params)
    if any(source is not None and source.name == "COMMANDLINE" for source in sources):
        verb = context.invoked_subcommand
        raise CommandMiswritten(f"options before `{verb}` would choose nothing; write them after it")


def _listed(counts: Counter[str], *, done: bool) -> str:
    chosen = sorted(name for name in counts if (name in DONE) is done)
    return ", ".join(f"{name} {counts[name]:,}" for name in chosen)
