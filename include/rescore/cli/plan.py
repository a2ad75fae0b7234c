"""What would this edit do? A plan on the terminal, as a comment on a pull request, as a page, as data."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rescore.cli.files import as_of_moment
from rescore.cli.given import read_bytes, refuse_overwriting, user
from rescore.cli.plan_picture import plan_picture
from rescore.errors import CommandMiswritten, InputUnreadable, ScorecardInvalid
from rescore.plan.from_files import plan_from_files
from rescore.plan.make import make_plan
from rescore.plan.plan import Plan
from rescore.plan.report_html import html
from rescore.plan.report_markdown import markdown
from rescore.policy.file import read_policy
from rescore.policy.limits import Limits
from rescore.rules.card import Scorecard
from rescore.rules.examples import failed_examples
from rescore.rules.lists import read_lists
from rescore.rules.load import load_scorecard
from rescore.settings import Settings, policy_file
from rescore.workspace import Workspace


class Format(StrEnum):
    """How a plan is told."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


def plan(
    rules: Annotated[Path, typer.Argument(metavar="FILE", help="The edited rules file.", readable=False)],
    as_of: Annotated[
        str, typer.Option(help="The scoring time, as in `rescore score`; now if left out.")
    ] = "",
    split: Annotated[str, typer.Option(metavar="ATTRIBUTE", help="Also tell the effect by this.")] = "",
    form: Annotated[
        Format, typer.Option("--format", help="Json and html name leads; text and markdown do not.")
    ] = Format.TEXT,
    out: Annotated[
        Path | None, typer.Option(help="Write to this file instead of the terminal.", readable=False)
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="OLDFILE", help="Without a server: the rules file before the edit.", readable=False
        ),
    ] = None,
    leads: Annotated[
        Path | None, typer.Option(help="With --against: lead_id and attributes.", readable=False)
    ] = None,
    activities: Annotated[
        Path | None, typer.Option(help="With --against: what leads did.", readable=False)
    ] = None,
) -> None:
    """Say what an edit would do if it were put in force; it changes nothing.

    It is compared with the version in force, over the deployment's ledger and lake; with --against, --leads
    and --activities over files alone. Beyond the gate's limits the plan says so and the command still
    succeeds.
    """
    now, by = datetime.now(UTC), user()
    given = [path for path in (against, leads, activities) if path is not None]
    if len(given) not in (0, 3):
        raise CommandMiswritten("a plan over files needs all of --against, --leads and --activities")
    new = _card(rules)
    moment = as_of_moment(as_of, new) if as_of else now
    if out is not None:
        refuse_overwriting(out, [rules, *given])
    with Console(stderr=True).status("opening") as spinner:
        if against is not None and leads is not None and activities is not None:
            made = plan_from_files(
                _card(against),
                new,
                leads=leads,
                activities=activities,
                as_of=moment,
                at=now,
                by=by,
                limits=_limits(new.id),
                split=split or None,
                progress=spinner.update,
            )
        else:
            made = make_plan(
                Workspace.open(Settings.from_environment(os.environ)),
                scorecard=new.id,
                new=new,
                new_version=None,
                as_of=moment,
                at=now,
                by=by,
                split=split or None,
                progress=spinner.update,
            )
    _tell(made, form, out)


def _told(plan: Plan, form: Format) -> str:
    match form:
        case Format.MARKDOWN:
            return markdown(plan)
        case Format.JSON:
            return json.dumps(plan.as_dict(), ensure_ascii=False, indent=1)
        case Format.HTML:
            return html(plan)
    page = StringIO()
    Console(file=page, width=80).print(plan_picture(plan))
    return page.getvalue()


def _card(path: Path) -> Scorecard:
    body = read_bytes(path)
    card = load_scorecard(body, name=str(path), lists=read_lists(body, path.parent))
    if problems := failed_examples(card):
        raise ScorecardInvalid([f"{path}:{p.line}:{p.column}: {p.message}" for p in problems])
    return card


def _limits(scorecard: str) -> Limits:
    policy = policy_file(os.environ)
    return read_policy(policy).limits(scorecard) if policy.exists() else Limits()


def _tell(plan: Plan, form: Format, out: Path | None) -> None:
    if out is None and form is Format.TEXT:
        Console().print(plan_picture(plan))
    elif out is None:
        print(_told(plan, form))
    else:
        told = _told(plan, form)
        try:
            out.touch(mode=0o600)  # lead data may be in it; a file that was there stays as its owner has it
            out.write_text(told, encoding="utf-8")
        except OSError as problem:
            raise InputUnreadable(f"{out}: cannot be written ({problem.strerror})") from None
        print(out)
