"""An explanation as data, as a dictionary, and as text for a terminal."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from rescore.model import MILLI
from rescore.withheld import DELETED, OBJECTION


@dataclass(frozen=True, slots=True)
class RuleLine:
    """What one rule gave, in thousandths: `points` count, `before_limit` is the sum without the limit.

    For rules about activities: how many match, how many of those count, and when the latest happened.
    `choice` is the index of the entry that a `first_of` took. For rules about accounts these are the
    activities of all its leads, by so many `people`.
    """

    rule: str
    label: str
    dimension: str
    points: int
    before_limit: int
    matching: int | None = None
    counted: int | None = None
    latest: datetime | None = None
    choice: int | None = None
    people: int | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A floor, ceiling or rounding that bit: where it put the sum, and by how much (thousandths)."""

    kind: Literal["floor", "ceiling", "rounding"]
    at: int
    points: int


@dataclass(frozen=True, slots=True)
class RestartLine:
    """The restart that counts: when, whose rules, what share they keep of what came before it.

    `points` is what it changes the rules' sum by, in thousandths; the rules' lines have it in them already.
    """

    at: datetime
    dimensions: tuple[str, ...]
    keep: str
    points: int


@dataclass(frozen=True, slots=True)
class QuarantineLine:
    """What an entry of the quarantine keeps out of the lead's activities: how many by type, the latest."""

    entry: str
    label: str
    activities: dict[str, int]
    latest: datetime


@dataclass(frozen=True, slots=True)
class DimensionLine:
    """One dimension: whole points as reported, null outside the audience."""

    id: str
    in_total: bool
    points: int | None
    adjustments: tuple[Adjustment, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every line behind one score.

    The points of all rules whose dimension is in the total, plus all adjustments of those dimensions
    and of the total, are the score in thousandths. `score` is null outside the audience, and of a lead that
    is `withheld`, for that reason.
    """

    scorecard: str
    lead: str
    as_of: datetime
    score: int | None
    band: str | None
    rules: tuple[RuleLine, ...]
    dimensions: tuple[DimensionLine, ...]
    adjustments: tuple[Adjustment, ...]
    grade: str | None = None
    restart: RestartLine | None = None
    quarantine: tuple[QuarantineLine, ...] = ()
    withheld: str | None = None

    def lines_sum(self) -> int:
        """The sum of all lines that make the score, in thousandths."""
        counting = [dimension for dimension in self.dimensions if dimension.in_total]
        inside = {dimension.id for dimension in counting}
        adjustments = [*self.adjustments, *(a for dimension in counting for a in dimension.adjustments)]
        rules = sum(line.points for line in self.rules if line.dimension in inside)
        return rules + sum(adjustment.points for adjustment in adjustments)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times as ISO texts."""
        plain: dict[str, Any] = asdict(self)
        plain["as_of"] = self.as_of.isoformat()
        for line in plain["rules"]:
            line["latest"] = line["latest"] and line["latest"].isoformat()
        if self.restart:
            plain["restart"]["at"] = self.restart.at.isoformat()
        for line in plain["quarantine"]:
            line["latest"] = line["latest"].isoformat()
        return plain

    def text(self) -> str:
        """A table that fits a terminal; times are UTC."""
        verdict = f"{_WITHHELD.get(self.withheld, 'outside the audience')}, so it has no score"
        if self.score is not None:
            verdict = f"score {self.score}" + (f", band {self.band}" if self.band else ", no band")
            verdict += f", grade {self.grade}" if self.grade else ""
        heading = f"{self.lead}: {verdict} ({self.scorecard}, as of {_when(self.as_of)})"
        restarted = [_restarted(self.restart)] if self.restart else []
        kept_out = [_kept_out(line) for line in self.quarantine]
        if kept_out:
            kept_out.append(f"  a person after all: rescore quarantine release {self.lead}")
        return "\n".join([heading, *restarted, *kept_out, "", *_aligned([_HEADER, *self._rows()])])

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for dimension in self.dimensions:
            title = dimension.id if dimension.in_total else f"{dimension.id} (not in the total)"
            shown = "" if dimension.points is None else str(dimension.points)
            yield (title, shown, "", "", "")
            for line in self.rules:
                if line.dimension == dimension.id:
                    yield _rule_row(line)
            yield from map(_adjustment_row, dimension.adjustments)
        yield ("total", "" if self.score is None else str(self.score), "", "", "")
        yield from map(_adjustment_row, self.adjustments)


_WITHHELD: Mapping[str | None, str] = {
    DELETED: "its record was deleted",
    OBJECTION: "the person objects to profiling",
}
_HEADER = ("", "points", "before limit", "activities", "latest")


def _restarted(line: RestartLine) -> str:
    """`restarted 2026-10-30 09:00 UTC: engagement keeps 25% of what came before (-12.5)`."""
    signed = ("+" if line.points > 0 else "") + _points(line.points)
    keeps = "keeps" if len(line.dimensions) == 1 else "keep"
    who = " and ".join(line.dimensions)
    return f"restarted {_when(line.at)}: {who} {keeps} {line.keep} of what came before ({signed} points)"


def _kept_out(line: QuarantineLine) -> str:
    """`4 email_click in quarantine, the latest 2026-10-30 09:00 UTC: Opened every link at once`."""
    what = " and ".join(f"{count:,} {kind}" for kind, count in sorted(line.activities.items()))
    return f"{what} in quarantine, the latest {_when(line.latest)}: {line.label}"


def _rule_row(line: RuleLine) -> tuple[str, ...]:
    before = _points(line.before_limit) if line.before_limit != line.points else ""
    activities = "" if line.matching is None else str(line.matching)
    if line.counted is not None and line.counted != line.matching:
        activities = f"{line.counted} of {line.matching}"
    if line.people is not None:
        activities += f" by {line.people}"
    latest = _when(line.latest) if line.latest else ""
    return (f"  {line.label}", _points(line.points), before, activities, latest)


def _adjustment_row(adjustment: Adjustment) -> tuple[str, ...]:
    where = f"{adjustment.kind} {'to' if adjustment.kind == 'rounding' else 'at'}"
    return (f"  {where} {_points(adjustment.at)}", _points(adjustment.points), "", "", "")


def _points(thousandths: int) -> str:
    """Exact points without needless zeros: 6163 -> 6.163, -500 -> -0.5, 3000 -> 3."""
    whole, rest = divmod(abs(thousandths), MILLI)
    decimals = f".{rest:03}".rstrip("0") if rest else ""
    return f"{'-' if thousandths < 0 else ''}{whole}{decimals}"


def _when(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for label, *cells in rows:
        numbers = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        yield "  ".join([label.ljust(widths[0]), *numbers]).rstrip()
