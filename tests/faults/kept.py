"""What layers have done at this very state of the code: a harness of hours may be interrupted and goes on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.faults.report import Layer

PROJECT = Path(__file__).parents[2]


class Kept:
    """The results of whole layers, by the commit they ran at; where files differ from it nothing is kept."""

    def __init__(self, project: Path = PROJECT) -> None:
        self._folder = project / ".faults"
        changed = _git(project, "status", "--porcelain")
        self.commit = _git(project, "rev-parse", "HEAD") if changed == "" else None

    def layers(self, module: str) -> list[Layer]:
        """What a module's layers came to at this commit; nothing unless all of them held."""
        file = self._folder / f"{module}.json"
        if self.commit is None or not file.exists():
            return []
        said = json.loads(file.read_text())
        return [Layer(**layer) for layer in said["layers"]] if said["commit"] == self.commit else []

    def keep(self, module: str, layers: Sequence[Layer]) -> None:
        """Remember a module's layers if all of them held; what broke is played again."""
        if self.commit is None or not all(layer.holds for layer in layers):
            return
        self._folder.mkdir(exist_ok=True)
        said = {"commit": self.commit, "layers": [asdict(layer) for layer in layers]}
        (self._folder / f"{module}.json").write_text(json.dumps(said, indent=1))


def _git(project: Path, *words: str) -> str | None:
    """What git says; None where there is none, or no repository."""
    try:
        done = subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
