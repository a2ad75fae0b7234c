"""Line 4: `rescore score` over real behaviour with real outcomes, read from outside the project."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import duckdb
from rich.table import Table

from demo.checks import holds
from demo.places import PROJECT
from demo.talk import console, step

STARTS = {"2013J": date(2013, 10, 1), "2014J": date(2014, 10, 1)}
DAY = 90
"""A third of the course: what is known then has to tell who passes at the end."""


def tell() -> None:
    """Score both years as of the same day of the course; the outcome rate must rise with the band.

    Raises:
        DoesNotHold: It does not.
    """
    folder = Path(os.environ.get("OULAD_DIR") or PROJECT.parent / "shared" / "data" / "oulad_aaa")
    if not (folder / "activities.parquet").exists():
        console.print(
            f"    skipped: no data in {folder}; set OULAD_DIR to where leads, activities and outcomes are"
        )
        return
    with step("748 enrolments, 350,000 activities"), tempfile.TemporaryDirectory() as temporary:
        rows = _scored(folder, Path(temporary))
    table = Table("band", "enrolments", "passed", "rate", box=None, padding=(0, 2))
    for band, leads, passed in rows:
        table.add_row(
            band, str(leads), str(passed), f"{passed / leads:.0%} {'█' * round(30 * passed / leads)}"
        )
    console.print(table)
    rates = [passed / leads for _, leads, passed in rows]
    holds(
        "the higher the band, the more of them passed",
        rates == sorted(rates, reverse=True) and len(rates) > 2,
    )


def _scored(folder: Path, temporary: Path) -> list[tuple[str, int, int]]:
    """(band, leads, converted), best band first: those still enrolled on the day of scoring."""
    database = duckdb.connect()
    source = {name: str(folder / f"{name}.parquet") for name in ("leads", "activities", "outcomes")}
    for year, start in STARTS.items():
        leads = temporary / f"leads_{year}.parquet"
        database.read_parquet(source["leads"]).filter(f"starts_with(lead_id, '{year}')").write_parquet(
            str(leads)
        )
        options = {
            "--rules": PROJECT / "include" / "demo" / "oulad.yaml",
            "--leads": leads,
            "--activities": source["activities"],
            "--as-of": start + timedelta(days=DAY),
            "--out": temporary / f"scores_{year}.parquet",
        }
        rescore = Path(sys.executable).parent / "rescore"
        subprocess.run(  # noqa: S603
            [rescore, "score", *(str(word) for option in options.items() for word in option)], check=True
        )
    return database.execute(
        """
        SELECT band, count(*), count(*) FILTER (converted)
        FROM read_parquet(?) JOIN read_parquet(?) USING (lead_id)
        WHERE unregistered_day IS NULL OR unregistered_day > ?
        GROUP BY band ORDER BY max(score) DESC
        """,
        [str(temporary / "scores_*.parquet"), source["outcomes"], DAY],
    ).fetchall()
