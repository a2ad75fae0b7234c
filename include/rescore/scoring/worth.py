"""What an activity is worth at each age: tables of whole thousandths, made once and exactly."""

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

from rescore.rules.card import Decay, HalfLife, Linear, Steps

OLDEST_AGE = 36_525
"""Days. No table goes further, so that a century-old activity is worth what it was at this age."""

_EXACT = Context(prec=80, rounding=ROUND_HALF_UP)


WHOLE = Fraction(1)
"""What is kept of an activity that no restart came after."""


@lru_cache(maxsize=4096)
def worth_table(points: int, decay: Decay, keep: Fraction = WHOLE) -> tuple[int, ...]:
    """Thousandths of one activity at ages 0, 1, 2 ...; ages beyond the end use the last entry.

    `points` is in thousandths. Each entry is `points * w(age) * keep` rounded half away from zero, and the
    table ends with the first entry that no later age changes.
    """
    worths = _shaped(points * keep, decay)
    if decay.expires is not None:
        worths += [worths[-1]] * (decay.expires - len(worths))
        worths = [*worths[: decay.expires], 0]
    while len(worths) > 1 and worths[-1] == worths[-2]:
        worths.pop()
    return tuple(worths[: OLDEST_AGE + 1])


def _shaped(points: Fraction, decay: Decay) -> list[int]:
    match decay.shape:
        case None:
            return [_rounded(points)]
        case HalfLife(days):
            return _halving(points, days)
        case Linear(days):
            return [_rounded(points * (days - age) / days) for age in _ages(days)]
        case Steps(steps):
            return [_rounded(points * _kept(steps, age)) for age in _ages(max(after for after, _ in steps))]


def _ages(last: int) -> range:
    return range(min(last, OLDEST_AGE) + 1)


def _kept(steps: tuple[tuple[int, Fraction], ...], age: int) -> Fraction:
    return next((keep for after, keep in reversed(steps) if after <= age), Fraction(1))


def _rounded(exact: Fraction) -> int:
    half_up = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return half_up if exact >= 0 else -half_up


def _halving(points: Fraction, days: int) -> list[int]:
    """One half-life of exact factors, halved again and again until nothing is left.

    80 digits are enough: within one half-life only the first factor is rational, and halving it is
    exact; the others are irrational and never come near a tie.
    """
    with localcontext(_EXACT):
        daily = Decimal(2) ** (Decimal(-1) / days)
        worth, period = Decimal(abs(points.numerator)) / points.denominator, []
        for _ in range(min(days, OLDEST_AGE + 1)):
            period.append(worth)
            worth *= daily
        sizes: list[int] = []
        while len(sizes) <= OLDEST_AGE and (not sizes or sizes[-1]):
            sizes += [int(worth.to_integral_value()) for worth in period]
            period = [worth / 2 for worth in period]
    return sizes if points >= 0 else [-size for size in sizes]
