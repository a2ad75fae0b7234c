"""Where plans are kept as files: JSON, Markdown and a page, readable by nobody but their owner."""

from __future__ import annotations

import json
from pathlib import Path

from rescore.errors import TerminalError
from rescore.plan.plan import Plan

PLAN, MARKDOWN, PAGE = "plan.json", "plan.md", "report.html"


def write_report(folder: Path, plan: Plan, *, markdown: str, page: str) -> Path:
    """Write the three files below `folder`; returns the plan's own folder.

    Lead data is in them, so only their owner may read them.
    """
    own = folder / plan.plan_hash
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = json.dumps(plan.as_dict(), ensure_ascii=False, indent=1)
    for name, text in ((PLAN, told), (MARKDOWN, markdown), (PAGE, page)):
        unfinished = own / f"{name}.unfinished"
        unfinished.touch(mode=0o600)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(own / name)
    return own


def read_report(folder: Path, plan_hash: str) -> Plan:
    """The plan as it was made.

    Raises:
        TerminalError: Its files are gone.
    """
    try:
        return Plan.from_json((folder / plan_hash / PLAN).read_bytes())
    except FileNotFoundError:
        raise TerminalError(
            f"the files of plan {plan_hash[:8]} are gone from {folder}; make the plan again"
        ) from None
