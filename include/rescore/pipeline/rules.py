"""Do the rules on disk differ from what was made of them? Registers each body once and puts it forward."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rescore.errors import Fenced
from rescore.ledger.rules import activations, registry
from rescore.pipeline.rules_change import RulesNews, put_forward, withdraw
from rescore.policy.file import read_policy
from rescore.progress import Progress, silent
from rescore.rules.actions import Webhook
from rescore.rules.card import Scorecard
from rescore.rules.examples import failed_examples
from rescore.rules.lists import NO_LISTS
from rescore.rules.load import check_scorecard
from rescore.rules.on_disk import RulesFile, rules_files
from rescore.workspace import Workspace


def edited_files(ws: Workspace) -> dict[str, str]:
    """The SHA-256 of every file that calls for action: what the sensor watches.

    Its bytes are not those last looked at, or nobody has decided about them yet.
    """
    with ws.ledger.reading() as connection:
        seen = registry.files_seen(connection)
        undecided = {draft.path for draft in registry.drafts(connection)}
    return {
        file.name: file.sha256
        for file in rules_files(ws.rules_dir)
        if seen.get(file.name) != file.sha256 or file.name in undecided
    }


def adopt_rules(ws: Workspace, *, at: datetime, by: str, progress: Progress = silent) -> list[RulesNews]:
    """Register every file that changed, exactly as read, and put forward the ones that hold.

    A file that does not hold, or that nobody may read, is registered as rejected and remembered by its hash;
    the version in force stays in force, and the other files are looked at. One that holds comes into force
    when its plan is within the limits, else it is held and waits for a person. A decision that was
    interrupted is taken up. Never raises for what a rules file is or says.

    Raises:
        PolicyInvalid: The limits cannot be read; what was registered waits for them, and so does a file
            whose messages they have a say in.
    """
    news = _register_files(ws, at=at, by=by)
    with ws.ledger.reading() as connection:
        undecided = registry.drafts(connection)
    for draft in undecided:
        try:
            decided = put_forward(ws, draft.scorecard, draft.seq, at=at, by=by, progress=progress)
        except Fenced as superseded:
            progress(f"{superseded}; it is looked at again")
            continue
        news.append(decided)
    return news


def _register_files(ws: Workspace, *, at: datetime, by: str) -> list[RulesNews]:
    """What is settled by looking: rejected files, and those that say what is in force or held already."""
    with ws.ledger.reading() as connection:
        seen = registry.files_seen(connection)
        owners = activations.owners(connection)
    news = []
    for file in rules_files(ws.rules_dir):
        if seen.get(file.name) == file.sha256:
            continue
        card, problems = _check(ws, file, owners)
        if card is None:
            scorecard = next((card for card, name in owners.items() if name == file.name), None)
            scorecard = scorecard or Path(file.name).stem
            with ws.ledger.transaction() as connection:
                version = registry.reject(
                    connection,
                    scorecard=scorecard,
                    sha256=file.sha256,
                    body=file.body if file.is_whole else None,
                    path=file.name,
                    at=at,
                    by=by,
                    problems=problems,
                    lists=file.lists if file.is_whole else NO_LISTS,
                )
            news.append(RulesNews(file.name, scorecard, "rejected", version, problems=tuple(problems)))
            continue
        with ws.ledger.transaction() as connection:
            version = registry.register(
                connection, card=card, body=file.body, path=file.name, at=at, by=by, lists=file.lists
            )
            status = registry.version(connection, card.id, version).status
            if status != registry.DRAFT:
                withdraw(connection, card.id, at=at, newer=version, held=status == registry.HELD)
        owners[card.id] = file.name
        if status != registry.DRAFT:
            news.append(RulesNews(file.name, card.id, "unchanged", version))
    return news


def _check(ws: Workspace, file: RulesFile, owners: dict[str, str]) -> tuple[Scorecard | None, list[str]]:
    """The card, or every reason why there is none."""
    if file.trouble is not None:
        return None, [f"{file.name}:1:1: {file.trouble}"]
    card, problems = check_scorecard(file.body, lists=file.lists)
    if card is not None and _has_messages(card):
        house = read_policy(ws.policy_file).house
        card, problems = check_scorecard(file.body, lists=file.lists, house=house)
    if card is not None:
        problems = failed_examples(card)
        owner = owners.get(card.id, file.name)
        if owner != file.name and (ws.rules_dir / owner).exists():
            line = f"{file.name}:1:1: scorecard `{card.id}` is already in {owner}; give this one another name"
            return None, [line]
    lines = [f"{file.name}:{problem.line}:{problem.column}: {problem.message}" for problem in problems]
    return (None if problems else card), lines


def _has_messages(card: Scorecard) -> bool:
    """Whether the policy has a say in what its automations do."""
    return any(
        not isinstance(action, Webhook) for automation in card.automations for action in automation.actions
    )
