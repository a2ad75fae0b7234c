"""Line 4, its end: an edit at one minute to midnight, on a copy of the world whose clock we hold."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from demo.checks import holds
from demo.evidence import Evidence
from demo.rule_edits import change_points
from demo.standalone import Standalone
from demo.talk import step
from demo.undisturbed import wrong_scores
from rescore.ledger.rules import activations
from rescore.ledger.scores import runs
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.rules import adopt_rules
from rescore.pipeline.score import score, start_runs
from rescore.plan.make import find_plan
from rescore.settings import Settings
from rescore.workspace import Workspace

SCORECARD = "b2b_saas"
LEDGER = "ledger.db"


def tell(world: Standalone, evidence: Evidence) -> None:
    """Every step of the pipeline takes the time as an argument, so this needs nobody to stay up.

    Raises:
        DoesNotHold: The line is false.
    """
    with tempfile.TemporaryDirectory() as folder, step("An edit at one minute to midnight") as say:
        ws = _copy(world, Path(folder))
        with ws.ledger.reading() as connection:
            was = activations.active(connection, SCORECARD)
            assert was is not None  # noqa: S101 - the lines before put it in force
            zone = activations.card_of(connection, SCORECARD, was.activation_seq).timezone
        midnight = datetime.combine(datetime.now(zone).date() + timedelta(days=1), time(), zone).astimezone(
            UTC
        )
        before, after = midnight - timedelta(minutes=1), midnight + timedelta(minutes=1)
        change_points(ws.rules_dir / f"{SCORECARD}.yaml", by=1)
        (news,) = adopt_rules(ws, at=before, by="story", progress=say)
        assert news.plan_hash is not None  # noqa: S101 - it moves scores
        planned = find_plan(ws, news.plan_hash)
        (key,) = start_runs(
            ws, run_id="after midnight", as_of=after, at=after, scorecards=[SCORECARD], progress=say
        )
        score(ws, key, progress=say)
        stage_deltas(ws, key)
        promote_or_hold(ws, key, at=after, progress=say)
        with ws.ledger.reading() as connection:
            run = runs.find(connection, key)
        wrong = wrong_scores(ws)
        ws.ledger.close()
    holds("it was planned for the day that ended", planned.as_of == before and news.what == "activated")
    holds("the rescore made the plan again, for the new day", run.as_of == after, run.as_of.isoformat())
    holds("every score is that of the new day", not wrong, wrong[:5] or "all of them")


def _copy(world: Standalone, folder: Path) -> Workspace:
    """The world's stores and rules at this moment, for nobody else."""
    environment = world.places.environment()
    stores, rules = folder / "rescore", folder / "rules"
    home = Path(environment["RESCORE_HOME"])
    shutil.copytree(home, stores, ignore=shutil.ignore_patterns(f"{LEDGER}*"))
    with (
        closing(sqlite3.connect(home / LEDGER)) as live,  # a plain copy would tear what is being written
        closing(sqlite3.connect(stores / LEDGER)) as copy,
    ):
        live.backup(copy)
    shutil.copytree(environment["RESCORE_RULES_DIR"], rules)
    own = environment | {"RESCORE_HOME": str(stores), "RESCORE_RULES_DIR": str(rules)}
    return Workspace.open(Settings.from_environment(own))
