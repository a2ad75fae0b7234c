"""Commands about rules files: do they hold, what in them is probably not meant, what does an edit do?"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from rescore.cli.given import read_bytes
from rescore.connectors.catalog import read_mappings
from rescore.errors import InputUnreadable, MappingInvalid, ScorecardInvalid, SettingsIncomplete
from rescore.mapping import Mapping
from rescore.messages import House
from rescore.policy.file import read_policy
from rescore.rules.card import Scorecard
from rescore.rules.diff import diff as changes_between
from rescore.rules.examples import failed_examples
from rescore.rules.fingerprint import Part
from rescore.rules.lint import Census, lint
from rescore.rules.lists import read_lists
from rescore.rules.load import check_scorecard, load_scorecard
from rescore.settings import Settings

WAKES: dict[Part, str] = {
    "scoring": "everybody is scored again",
    "thresholds": "bands and crossings are derived again from the scores there are",
    "wording": "nobody is scored and nothing is written",
}


def check(
    rules: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Rules files.", readable=False)],
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as problems.")] = False,
) -> None:
    """Check rules files and run their examples; every problem is a `file:line:col: message` line.

    What holds and is probably not meant is a warning. Names are looked up in the deployment's lake.
    """
    lines: list[str] = []
    warned = 0
    census, house, mappings = _census(), _house(), _mappings()
    for path in rules:
        try:
            body = read_bytes(path)
        except InputUnreadable as unreadable_file:
            lines.append(str(unreadable_file))
            continue
        card, problems = check_scorecard(body, lists=read_lists(body, path.parent), house=house)
        if card is not None:
            problems = failed_examples(card)
            if not problems:
                print(f"{path}: {card.id}: {len(card.rules)} rules, {len(card.examples)} examples hold")
            for warning in lint(card, census, body=body, mappings=mappings):
                place = f"{path}:{warning.line}:{warning.column}"
                sys.stderr.write(f"{place}: warning: {warning.message} [{warning.code}]\n")
                warned += 1
        lines += [f"{path}:{problem.line}:{problem.column}: {problem.message}" for problem in problems]
    if lines:
        raise ScorecardInvalid(lines)
    if strict and warned:
        raise typer.Exit(1)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A rules file.", readable=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="What it became.", readable=False)],
) -> None:
    """Say what an edit of a rules file does, and whom it wakes."""
    before, after = _card(old), _card(new)
    if before.id != after.id:
        raise InputUnreadable(
            f"{old} is `{before.id}` and {new} is `{after.id}`: two scorecards, not an edit"
        )
    changes = changes_between(before, after)
    if not changes:
        print("nothing that means anything differs")
    for part, wakes in WAKES.items():
        here = [change for change in changes if change.part == part]
        if here:
            print(f"{part}: {wakes}")
            print(*(f"  {change}" for change in here), sep="\n")


def _card(path: Path) -> Scorecard:
    body = read_bytes(path)
    return load_scorecard(body, name=str(path), lists=read_lists(body, path.parent))


def _house() -> House:
    """What this deployment's policy says about messages; nothing where there is none."""
    try:
        policy_file = Settings.from_environment(os.environ).policy_file
    except SettingsIncomplete:
        return House()
    return read_policy(policy_file).house if policy_file.exists() else House()


def _mappings() -> dict[str, Mapping] | None:
    """What the CRMs open to automations; None where mappings are missing or do not hold."""
    try:
        folder = Settings.from_environment(os.environ).mappings_dir
        return read_mappings(folder)
    except (SettingsIncomplete, MappingInvalid):
        return None


def _census() -> Census | None:
    """What this deployment's lake holds; None where there is none, or it cannot be read now."""
    try:
        root = Settings.from_environment(os.environ).lake_root
    except SettingsIncomplete:
        return None
    if "://" not in root and not Path(root).is_dir():
        return None
    from rescore.cli.lake_census import census_of  # without a lake nobody has to wait for its engine

    return census_of(root)
