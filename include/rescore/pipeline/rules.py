"""Do the rules on disk differ from what was made of them? Registers each body once and puts it forward."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from rescore.errors import Fenced, SettingsIncomplete
from rescore.ledger.rules import activations, registry
from rescore.pipeline.rules_change import RulesNews, put_forward, withdraw
from rescore.policy.file import read_policy
from rescore.progress import Progress, silent
from rescore.rules.actions import Webhook
from rescore.rules.card import Scorecard
from rescore.rules.examples import failed_examples
from rescore.rules.lists import ListFiles, read_lists, sha256_of
from rescore.rules.load import check_scorecard
from rescore.workspace import Workspace


def edited_files(ws: Workspace) -> dict[str, str]:
    """The SHA-256 of every file that calls for action: what the sensor watches.

    Its bytes are not those last looked at, or nobody has decided about them yet.
    """
    with ws.ledger.reading() as connection:
        seen = registry.files_seen(connection)
        undecided = {draft.path for draft in registry.drafts(connection)}
    return {
        path.name: sha256
        for path, _, _, sha256 in _files(ws.rules_dir)
        if seen.get(path.name) != sha256 or path.name in undecided
    }


def adopt_rules(ws: Workspace, *, at: datetime, by: str, progress: Progress = silent) -> list[RulesNews]:
    """Register every file that changed, exactly as read, and put forward the ones that hold.

    A file that does not hold is registered as rejected and remembered by its hash; the version in force
    stays in force. One that holds comes into force when its plan is within the limits, else it is held and
    waits for a person. A decision that was interrupted is taken up. Never raises for what a rules file says.

    Raises:
        SettingsIncomplete: A file is there and cannot be read.
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
    for path, body, lists, sha256 in _files(ws.rules_dir):
        if seen.get(path.name) == sha256:
            continue
        card, problems = _check(ws, path, body, lists, owners)
        if card is None:
            scorecard = next((card for card, file in owners.items() if file == path.name), path.stem)
            with ws.ledger.transaction() as connection:
                version = registry.reject(
                    connection,
                    scorecard=scorecard,
                    body=body,
                    path=path.name,
                    at=at,
                    by=by,
                    problems=problems,
                    lists=lists,
                )
            news.append(RulesNews(path.name, scorecard, "rejected", version, problems=tuple(problems)))
            continue
        with ws.ledger.transaction() as connection:
            version = registry.register(
                connection, card=card, body=body, path=path.name, at=at, by=by, lists=lists
            )
            status = registry.version(connection, card.id, version).status
            if status != registry.DRAFT:
                withdraw(connection, card.id, at=at, newer=version, held=status == registry.HELD)
        owners[card.id] = path.name
        if status != registry.DRAFT:
            news.append(RulesNews(path.name, card.id, "unchanged", version))
    return news


class _RulesFile(NamedTuple):
    """What is on disk: the file, and the list files that it names; `sha256` is of all of them."""

    path: Path
    body: bytes
    lists: ListFiles
    sha256: str


def _files(folder: Path) -> Iterator[_RulesFile]:
    for path in sorted(folder.glob("*.yaml")):
        try:
            body = path.read_bytes()
        except FileNotFoundError:
            continue  # an editor is replacing it; the next look finds it
        except OSError as error:
            raise SettingsIncomplete(
                f"the rules file {path} cannot be read ({error.strerror}); make it readable or remove it"
            ) from None
        lists = read_lists(body, folder)
        yield _RulesFile(path, body, lists, sha256_of(body, lists))


def _check(
    ws: Workspace, path: Path, body: bytes, lists: ListFiles, owners: dict[str, str]
) -> tuple[Scorecard | None, list[str]]:
    """The card, or every reason why there is none."""
    card, problems = check_scorecard(body, lists=lists)
    if card is not None and _has_messages(card):
        card, problems = check_scorecard(body, lists=lists, house=read_policy(ws.policy_file).house)
    if card is not None:
        problems = failed_examples(card)
        owner = owners.get(card.id, path.name)
        if owner != path.name and (path.parent / owner).exists():
            line = f"{path.name}:1:1: scorecard `{card.id}` is already in {owner}; give this one another name"
            return None, [line]
    lines = [f"{path.name}:{problem.line}:{problem.column}: {problem.message}" for problem in problems]
    return (None if problems else card), lines


def _has_messages(card: Scorecard) -> bool:
    """Whether the policy has a say in what its automations do."""
    return any(
        not isinstance(action, Webhook) for automation in card.automations for action in automation.actions
    )
