"""What a rules change does to leads, bands and rules: counts from everybody's numbers under both cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from rescore.plan.columns import Column, Flags, count, differs, some
from rescore.plan.plan import (
    NO_BAND,
    NO_SCORE,
    NO_VALUE,
    OTHER,
    BandMatrix,
    Bar,
    Change,
    Contribution,
    Group,
    Leads,
    QuarantineEffect,
    RuleEffect,
    Split,
)
from rescore.rules.card import FirstOfRule, Rule, Scorecard
from rescore.rules.diff.change import differ
from rescore.scoring.facts import Facts
from rescore.scoring.held import in_all
from rescore.scoring.pair import OLD

WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000)
BARS_A_SIDE = 12
GROUPS = 8


@dataclass(frozen=True)
class Both:
    """Everybody under both cards: `rows` has the columns of `rescore.scoring.pair`, one row a lead.

    `old_rules` maps the old card's rules to columns; it is empty, and rows have no columns of rules, where
    stored scores were put under new thresholds.
    """

    old: Scorecard
    new: Scorecard
    rows: pa.Table
    old_rules: Mapping[str, str]

    def column(self, name: str) -> Column | None:
        """A column of the new side; None when there is none."""
        return self.rows[name] if name in self.rows.column_names else None

    def old_column(self, name: str) -> Column | None:
        """A column of the old side; None when there is none."""
        return self.column(OLD + name)

    def changed(self) -> Flags:
        """Whose score, band, grade or dimensions differ, by what both cards have."""
        names = ["score", "band", "grade", *(dimension.id for dimension in self.new.dimensions)]
        pairs = [(self.column(name), self.old_column(name)) for name in names]
        found = [differs(new, old) for new, old in pairs if new is not None and old is not None]
        return some(found, self.rows.num_rows)

    def moves(self) -> Column:
        """New minus old score, null where there is none on one side."""
        return pc.subtract(self.rows["score"], self.rows[OLD + "score"])

    def band_moves(self) -> Flags:
        """Who has a band under the old card and another one, or none, under the new one."""
        old, new = self.rows[OLD + "band"], self.rows["band"]
        return pc.and_(pc.is_valid(old), differs(old, new))


def quarantine(both: Both, facts: Facts, *, as_of: datetime) -> QuarantineEffect | None:
    """What each side keeps out; None where they agree about that."""
    if not differ(both.old.quarantine, both.new.quarantine):
        return None
    return QuarantineEffect(*(in_all(card, facts, as_of=as_of) for card in (both.old, both.new)))


def leads(both: Both) -> Leads:
    """How many leads move, and where to."""
    old, new, moves = both.rows[OLD + "score"], both.rows["score"], both.moves()
    old_band, new_band = both.rows[OLD + "band"], both.rows["band"]
    return Leads(
        everybody=both.rows.num_rows,
        scored_old=count(pc.is_valid(old)),
        scored_new=count(pc.is_valid(new)),
        changed=count(both.changed()),
        up=count(pc.greater(moves, 0)),
        down=count(pc.less(moves, 0)),
        joined=count(pc.and_(pc.is_null(old), pc.is_valid(new))),
        left=count(pc.and_(pc.is_valid(old), pc.is_null(new))),
        banded=count(pc.is_valid(old_band)),
        band_moves=count(both.band_moves()),
        first_bands=count(pc.and_(pc.is_null(old_band), pc.is_valid(new_band))),
        mean_old=round(pc.mean(old).as_py() or 0.0, 2),
        mean_new=round(pc.mean(new).as_py() or 0.0, 2),
    )


def histogram(both: Both) -> tuple[Bar, ...]:
    """How far scores move, in bars of one width from the furthest down to the furthest up."""
    counted = both.moves().value_counts().to_pylist()
    moves = {pair["values"]: pair["counts"] for pair in counted if pair["values"]}
    if not moves:
        return ()
    furthest = max(map(abs, moves))
    width = next((width for width in WIDTHS if furthest <= width * BARS_A_SIDE), furthest)
    bars: dict[int, int] = {}
    for move, number in moves.items():
        place = -(-move // width) if move > 0 else move // width  # 1, 2, ... up and -1, -2, ... down
        bars[place] = bars.get(place, 0) + number
    places = [place for place in range(min(*bars, 1), max(*bars, -1) + 1) if place]
    return tuple(
        Bar((place - 1) * width + 1, place * width, bars.get(place, 0))
        if place > 0
        else Bar(place * width, (place + 1) * width - 1, bars.get(place, 0))
        for place in places
    )


def band_matrix(both: Both) -> BandMatrix:
    """Who goes from which band to which."""
    sides = [[*(band.id for band in card.bands), NO_BAND, NO_SCORE] for card in (both.old, both.new)]
    labels = pa.table({"old": labelled(both, OLD), "new": labelled(both, "")})
    found = labels.group_by(["old", "new"]).aggregate([([], "count_all")]).to_pylist()
    leads_of = {(row["old"], row["new"]): row["count_all"] for row in found}
    old, new = sides
    return BandMatrix(
        tuple(old),
        tuple(new),
        tuple(tuple(leads_of.get((before, after), 0) for after in new) for before in old),
    )


def labelled(both: Both, side: str) -> Column:
    """The band of every lead on one side (`OLD` or nothing), with the names for having none."""
    missing = pc.if_else(pc.is_valid(both.rows[side + "score"]), NO_BAND, NO_SCORE)
    return pc.coalesce(both.rows[side + "band"], missing)


def rule_effects(both: Both) -> tuple[RuleEffect, ...]:
    """Every rule of either card, the new card's first, with what it gives to leads that have a score."""
    if not both.old_rules:
        return ()
    inside_old = both.rows.filter(pc.is_valid(both.rows[OLD + "score"]))
    inside_new = both.rows.filter(pc.is_valid(both.rows["score"]))
    before = {rule.id: rule for rule in both.old.rules}
    now = {rule.id: rule for rule in both.new.rules}
    return tuple(
        RuleEffect(
            id=rule.id,
            label=rule.label,
            dimension=rule.dimension,
            change=_change(before.get(rule.id), now.get(rule.id)),
            old=_contribution(inside_old[both.old_rules[rule.id]]) if rule.id in before else None,
            new=_contribution(inside_new[rule.id]) if rule.id in now else None,
        )
        for rule in (before | now).values()
    )


def split_by(both: Both, attribute: str, values: pa.Table, fires: Mapping[str, Sequence[str]]) -> Split:
    """The effect by an attribute: its most frequent values, then all others, then those without.

    Args:
        both: Everybody under both cards.
        attribute: Its name.
        values: Columns `lead` and `value` (text) of everybody.
        fires: Automation -> the leads for which it fires.
    """
    found = values["value"].take(pc.index_in(both.rows["lead"], values["lead"]))
    counted = pc.drop_null(found).value_counts().to_pylist()
    frequent = sorted(counted, key=lambda pair: (-pair["counts"], pair["values"]))[:GROUPS]
    names = [pair["values"] for pair in frequent]
    named = pc.if_else(pc.is_in(found, pa.array(names, pa.string())), found, OTHER)
    group = pc.if_else(pc.is_valid(found), named, NO_VALUE)
    told = pa.table(
        {
            "group": group,
            "lead": both.rows["lead"],
            "changed": both.changed(),
            "up": pc.fill_null(pc.greater(both.moves(), 0), False),
            "down": pc.fill_null(pc.less(both.moves(), 0), False),
            "moved": both.band_moves(),
            "old": labelled(both, OLD),
            "new": labelled(both, ""),
        }
    )
    groups = [_group(told.filter(pc.equal(group, name)), name, fires) for name in [*names, OTHER, NO_VALUE]]
    return Split(attribute, tuple(each for each in groups if each.leads))


def _group(rows: pa.Table, name: str, fires: Mapping[str, Sequence[str]]) -> Group:
    mine = set(rows["lead"].to_pylist()) if any(fires.values()) else set()
    return Group(
        value=name,
        leads=rows.num_rows,
        changed=count(rows["changed"]),
        up=count(rows["up"]),
        down=count(rows["down"]),
        band_moves=count(rows["moved"]),
        old_bands=_counts(rows["old"]),
        new_bands=_counts(rows["new"]),
        fires={automation: len(mine.intersection(crossing)) for automation, crossing in fires.items()},
    )


def _counts(labels: Column) -> dict[str, int]:
    return {pair["values"]: pair["counts"] for pair in labels.value_counts().to_pylist()}


def _contribution(points: Column) -> Contribution:
    return Contribution(count(pc.not_equal(points, 0)), pc.sum(points).as_py() or 0)


def _change(old: Rule | None, new: Rule | None) -> Change:
    if old is None:
        return "new"
    if new is None:
        return "removed"
    return "same" if _without_words(old) == _without_words(new) else "edited"


def _without_words(rule: Rule) -> tuple[object, ...]:
    kept = [getattr(rule, field.name) for field in fields(rule) if field.name not in ("label", "line")]
    if isinstance(rule, FirstOfRule):
        kept[-1] = [(choice.when, choice.points) for choice in rule.choices]
    return type(rule), *kept
