"""One deployment's stores and files, opened together: what every run and every command works in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rescore.connectors.catalog import read_mappings
from rescore.lake.lake import Lake
from rescore.ledger.migrate import require_current
from rescore.ledger.transaction import Ledger
from rescore.mapping import Mapping
from rescore.settings import Settings


@dataclass(frozen=True, slots=True)
class Workspace:
    """The ledger, the lake, the folders of scorecards, mappings and reports, and the gate's limits."""

    ledger: Ledger
    lake: Lake
    rules_dir: Path
    mappings_dir: Path
    reports_dir: Path
    policy_file: Path

    @classmethod
    def open(cls, settings: Settings) -> Workspace:
        """Open both stores.

        Raises:
            LedgerBehind: The ledger's tables are not those of this build.
            SettingsIncomplete: The ledger's database cannot be reached as configured.
        """
        ledger = Ledger(settings.ledger_url)
        require_current(ledger)
        return cls(
            ledger,
            Lake(settings.lake_root),
            settings.rules_dir,
            settings.mappings_dir,
            settings.reports_dir,
            settings.policy_file,
        )

    def mappings(self) -> dict[str, Mapping]:
        """Every source's mapping by name, read and checked now.

        Raises:
            MappingInvalid: A mapping file does not hold.
        """
        return read_mappings(self.mappings_dir)

    def targets(self) -> dict[str, Mapping]:
        """The mappings of those that show scores.

        Raises:
            MappingInvalid: A mapping file does not hold.
        """
        return {name: mapping for name, mapping in self.mappings().items() if mapping.scores}
