"""The gate's policy file: every limit and what becomes of holds, checked as strictly as a rules file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, PlainValidator, ValidationError, model_validator

from rescore.errors import PolicyInvalid
from rescore.mapping import Name
from rescore.messages import BRACE, LEAD_ID, House
from rescore.policy.limits import Limits
from rescore.policy.retention import Retention, RetentionFile
from rescore.policy.span import Span
from rescore.strict.messages import described
from rescore.strict.model import StrictMap, refuse
from rescore.strict.yaml import problems_of, read_document

PERCENT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s?%")
DOMAIN = re.compile(r"(?=.{4,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
LEAD_URL = re.compile(r"https://[^\s<>|\"]{1,500}")


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of every scorecard, the rules for holds, and what messages are held to (`house`).

    `expire_after` is how long a hold waits for an answer. Only `approvers` may release what is held,
    everybody where there are none; with `author_is_not_approver` not what they put forward themselves.
    `retention` says how long what has done its work is kept.
    """

    default: Limits
    house: House = field(default_factory=House)
    of_scorecard: Mapping[str, Limits] = field(default_factory=dict)
    expire_after: timedelta = timedelta(hours=24)
    approvers: frozenset[str] = frozenset()
    author_is_not_approver: bool = False
    retention: Retention = field(default_factory=Retention)

    def limits(self, scorecard: str) -> Limits:
        """The limits that hold for one scorecard."""
        return self.of_scorecard.get(scorecard, self.default)


def read_policy(path: Path) -> Policy:
    """Read and check a policy file.

    Raises:
        PolicyInvalid: It cannot be read, or does not hold; lists every problem as `name:line:col: message`.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise PolicyInvalid(
            f"{path}: cannot be read ({error.strerror}); put the gate's limits there, or point "
            "RESCORE_POLICY_FILE at them"
        ) from None
    return load_policy(body, path.name)


def load_policy(body: bytes, name: str) -> Policy:
    """Check a policy; `name` is what problems call the file.

    Raises:
        PolicyInvalid: Lists every problem as `name:line:col: message`.
    """
    document, problems = read_document(body)
    if document is not None and not problems:
        try:
            return _built(_PolicyFile.model_validate(document.data))
        except ValidationError as error:
            problems = problems_of(error, document)
    raise PolicyInvalid("\n".join(f"{name}:{p.line}:{p.column}: {p.message}" for p in problems))


def _share(value: Any) -> Fraction:
    found = PERCENT.fullmatch(value) if isinstance(value, str) else None
    if found is None or Fraction(found[1]) > 100:
        refuse(f"`{{name}}` takes a percentage, not {described(value)}; write `20%`")
    return Fraction(found[1]) / 100


def _times(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 1000:
        refuse(f"`{{name}}` takes a number from 0 to 1000, not {described(value)}; write `3`")
    return Fraction(value)


Share = Annotated[Fraction, PlainValidator(_share)]
Times = Annotated[Fraction, PlainValidator(_times)]
Number = Annotated[int, Field(ge=0, le=1_000_000_000)]


class _BandMoves(StrictMap):
    leads: Number | None = None
    share: Share | None = None


class _Crossings(StrictMap):
    leads: Number | None = None
    times_usual_day: Times | None = None


class _Extract(StrictMap):
    rows: Number | None = None
    share: Share | None = None


class _LimitsFile(StrictMap):
    band_moves: _BandMoves = _BandMoves()
    crossings: _Crossings = _Crossings()
    extract: _Extract = _Extract()

    def over(self, limits: Limits) -> Limits:
        """These limits where this file says something, the given ones elsewhere."""
        said = {
            "band_moves": self.band_moves.leads,
            "band_moves_share": self.band_moves.share,
            "crossings": self.crossings.leads,
            "crossings_times_usual": self.crossings.times_usual_day,
            "extract_rows": self.extract.rows,
            "extract_share": self.extract.share,
        }
        return replace(limits, **{name: value for name, value in said.items() if value is not None})  # type: ignore[arg-type]


class _Holds(StrictMap):
    expire_after: Span = timedelta(hours=24)
    growth: Share = Limits().growth
    approvers: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(default_factory=list)
    author_is_not_approver: bool = False

    @model_validator(mode="after")
    def _somebody_may_approve(self) -> Self:
        if self.author_is_not_approver and not self.approvers:
            refuse(
                "`author_is_not_approver` needs `approvers`, because an edit that Airflow picks up names no "
                "author; write who may release one: `approvers: [rita, carl]`",
                "author_is_not_approver",
            )
        return self


def _domain(text: str) -> str:
    if not DOMAIN.fullmatch(text):
        refuse(f"{described(text)} is not a domain; write one such as `example.com`")
    return text.lower()


def _lead_url(text: str) -> str:
    rest = text.replace(LEAD_ID, "", 1)
    if not LEAD_URL.fullmatch(text) or rest == text or BRACE.search(rest):
        refuse(
            f"`{{name}}` takes an https address with one place `{LEAD_ID}`; write one such as "
            f"`https://app.example.com/contact/{LEAD_ID}`"
        )
    return text


class _PolicyFile(_LimitsFile):
    internal_domains: list[Annotated[str, AfterValidator(_domain)]] = Field(default_factory=list)
    lead_urls: dict[Name, Annotated[str, AfterValidator(_lead_url)]] = Field(default_factory=dict)
    holds: _Holds = _Holds()
    retention: RetentionFile = RetentionFile()
    scorecards: dict[Name, _LimitsFile] = Field(default_factory=dict)


def _built(file: _PolicyFile) -> Policy:
    default = file.over(replace(Limits(), growth=file.holds.growth))
    return Policy(
        default=default,
        house=House(frozenset(file.internal_domains), file.lead_urls),
        of_scorecard={name: own.over(default) for name, own in file.scorecards.items()},
        expire_after=file.holds.expire_after,
        approvers=frozenset(file.holds.approvers),
        author_is_not_approver=file.holds.author_is_not_approver,
        retention=file.retention.built(),
    )
