"""Where things are: the environment read once, at the door, into one checked object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rescore.errors import SettingsIncomplete


@dataclass(frozen=True, slots=True)
class Settings:
    """The places a deployment uses.

    `ledger_url` is an SQLAlchemy URL (`sqlite:///...` or `postgresql://...`) and may hold a password:
    never print it. `lake_root` is a folder or an object-store URL. Reports on plans hold lead data, so
    they are files below `reports_dir`, which every worker and the UI share. `policy_file` holds the limits
    of the gate.
    """

    ledger_url: str
    lake_root: str
    rules_dir: Path
    mappings_dir: Path
    reports_dir: Path
    policy_file: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, ledger_url: str | None = None) -> Settings:
        """Read `RESCORE_*`; everything has a default below `RESCORE_HOME` (`./.rescore`).

        Args:
            environment: Usually `os.environ`.
            ledger_url: Wins over `RESCORE_LEDGER_URL`; Airflow hands in its Connection's.

        Raises:
            SettingsIncomplete: A folder that must exist does not.
        """
        home = Path(environment.get("RESCORE_HOME") or ".rescore").absolute()
        project = _project(environment)
        return cls(
            ledger_url=ledger_url
            or environment.get("RESCORE_LEDGER_URL")
            or f"sqlite:///{home / 'ledger.db'}",
            lake_root=environment.get("RESCORE_LAKE_ROOT") or str(home / "lake"),
            rules_dir=_folder(environment, "RESCORE_RULES_DIR", project / "include" / "rules"),
            mappings_dir=_folder(environment, "RESCORE_MAPPINGS_DIR", project / "include" / "mappings"),
            reports_dir=Path(environment.get("RESCORE_REPORTS_DIR") or home / "reports"),
            policy_file=policy_file(environment),
        )


def policy_file(environment: Mapping[str, str]) -> Path:
    """Where the limits of the gate are, whether or not the rest of a project is there."""
    return Path(environment.get("RESCORE_POLICY_FILE") or _project(environment) / "include" / "policy.yaml")


def _project(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("RESCORE_PROJECT") or ".").absolute()


def _folder(environment: Mapping[str, str], name: str, default: Path) -> Path:
    folder = Path(environment.get(name) or default)
    if not folder.is_dir():
        raise SettingsIncomplete(
            f"there is no folder {folder}; run in the project's folder or point {name} at the right one"
        )
    return folder
