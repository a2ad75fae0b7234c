"""Do the rules on disk differ from the rules in force, and if so: register them and put them in force."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from rescore.errors import SettingsIncomplete
from rescore.ledger import activations, registry
from rescore.rules.card import Scorecard
from rescore.rules.examples import failed_examples
from rescore.rules.load import check_scorecard
from rescore.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RulesNews:
    """What became of one edited file.

    `wakes` is the strongest part of the fingerprint that moved, None when nothing did; `problems` are
    `file:line:col: message` lines and hold no lead data.
    """

    path: str
    scorecard: str
    what: Literal["activated", "unchanged", "rejected"]
    version: int
    wakes: str | None = None
    problems: tuple[str, ...] = ()


def edited_files(ws: Workspace) -> dict[str, str]:
    """The SHA-256 of every file whose bytes are not those last looked at: what the sensor watches."""
    with ws.ledger.reading() as connection:
        seen = registry.files_seen(connection)
    return {path.name: sha256 for path, _, sha256 in _files(ws.rules_dir) if seen.get(path.name) != sha256}


def adopt_rules(ws: Workspace, *, at: datetime, by: str) -> list[RulesNews]:
    """Register every file that changed, exactly as read, and activate the ones that hold.

    A file that does not hold is registered as rejected and remembered by its hash; the version in force
    stays in force. Never raises for what a file says.

    Raises:
        SettingsIncomplete: A file is there and cannot be read.
    """
    with ws.ledger.reading() as connection:
        seen = registry.files_seen(connection)
        owners = activations.owners(connection)
    news = []
    for path, body, sha256 in _files(ws.rules_dir):
        if seen.get(path.name) == sha256:
            continue
        card, problems = _check(path, body, owners)
        with ws.ledger.transaction() as connection:
            if card is None:
                scorecard = next((card for card, file in owners.items() if file == path.name), path.stem)
                version = registry.reject(
                    connection,
                    scorecard=scorecard,
                    body=body,
                    path=path.name,
                    at=at,
                    by=by,
                    problems=problems,
                )
                news.append(RulesNews(path.name, scorecard, "rejected", version, problems=tuple(problems)))
                continue
            version = registry.register(connection, card=card, body=body, path=path.name, at=at, by=by)
            activation = activations.activate(connection, card=card, version_seq=version, at=at, by=by)
        owners[card.id] = path.name
        if activation is None:
            news.append(RulesNews(path.name, card.id, "unchanged", version))
        else:
            news.append(RulesNews(path.name, card.id, "activated", version, wakes=activation.wakes))
    return news


def _files(folder: Path) -> Iterator[tuple[Path, bytes, str]]:
    for path in sorted(folder.glob("*.yaml")):
        try:
            body = path.read_bytes()
        except FileNotFoundError:
            continue  # an editor is replacing it; the next look finds it
        except OSError as error:
            raise SettingsIncomplete(
                f"the rules file {path} cannot be read ({error.strerror}); make it readable or remove it"
            ) from None
        yield path, body, hashlib.sha256(body).hexdigest()


def _check(path: Path, body: bytes, owners: dict[str, str]) -> tuple[Scorecard | None, list[str]]:
    """The card, or every reason why there is none."""
    card, problems = check_scorecard(body)
    if card is not None:
        problems = failed_examples(card)
        owner = owners.get(card.id, path.name)
        if owner != path.name and (path.parent / owner).exists():
            line = f"{path.name}:1:1: scorecard `{card.id}` is already in {owner}; give this one another name"
            return None, [line]
    lines = [f"{path.name}:{problem.line}:{problem.column}: {problem.message}" for problem in problems]
    return (None if problems else card), lines
