"""Scores and deliveries that do not get out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rescore.connectors.memory import MemoryCrm
from rescore.errors import CrmRejectedCredentials, CrmUnavailable
from rescore.ledger.outbox import syncs
from rescore.ledger.rules import holds
from rescore.outcome import Outcome
from rescore.pipeline.extract import extract
from rescore.pipeline.holds import decide
from rescore.pipeline.reconcile import rescue
from tests.operations.cases import Case
from tests.operations.place import Place
from tests.operations.runbook import is_said


def _parked_score(place: Place) -> None:
    place.crm.refuse("bob", "its owner has locked it")
    place.send()


def _deferred(place: Place) -> None:
    place.crm.failures = [CrmUnavailable("it is down")]
    place.send()


def _not_found(place: Place) -> None:
    place.crm.shown.pop("bob")
    place.send()


def _is_there(place: Place) -> None:
    place.crm.shown["bob"] = {}


def _read_back(place: Place) -> None:
    _is_there(place)
    place.reconcile()
    place.send()


def _small(place: Place) -> None:
    place.edit_mapping("score: rescore_score\n", "score: rescore_score\n    minimum_change: 15\n")
    place.send()


def _moves_more(place: Place) -> None:
    place.visit("bob")
    place.run()


def _claimed_by_two(place: Place) -> None:
    other = MemoryCrm("salesforce")
    other.put_lead("003A", {})
    extract(place.ws, other, until=place.now, known_at=place.now)
    for lead in ("ada", "bob"):
        place.crm.put_lead(lead, {}, same_as=["salesforce:003A"])
    place.run()


def _told_apart(place: Place) -> None:
    place.crm.put_lead("bob", {})
    place.run()


def _rehearse(place: Place) -> None:
    place.edit_mapping("mode: live", "mode: shadow")
    place.send()


def _overridden(place: Place) -> None:
    keep = "score: rescore_score\n    manual_edits: {score: {keep: 30d}}\n"
    place.edit_mapping("score: rescore_score\n", keep)
    place.send()
    place.crm.edit("bob", "rescore_score", "99", at=place.now, by="ute")
    place.reconcile()


def _expire_override(place: Place) -> None:
    place.now += timedelta(days=31)
    rescue(place.ws.ledger, now=place.now)
    place.send()


def _untargeted(place: Place) -> None:
    place.edit_mapping("\n  b2b_saas:\n", "\n  b2c:\n")
    place.run()


def _refused_by_the_crm(place: Place) -> None:
    place.now = datetime.now(UTC)
    place.crm.failures = [CrmRejectedCredentials("HubSpot refused the token (401)")]
    place.send()
    place.extract()  # who may not write can read


def _quota_spent(place: Place) -> None:
    place.crm.rooms = {2: 3600.0, 3: 3600.0}
    place.send()


def _new_day(place: Place) -> None:
    place.crm.rooms = {}
    place.send()


def _killed(place: Place) -> None:
    with place.ws.ledger.transaction() as connection:
        claims = syncs.claim(
            connection, target="hubspot", worker="w", now=place.now, lease=timedelta(minutes=15), limit=9
        )
    assert len(claims) == 2
    place.send()


def _lease_ends(place: Place) -> None:
    place.later(minutes=16)


def _reconciled(place: Place) -> None:
    place.now += timedelta(minutes=16)
    place.reconcile()
    place.send()


def _answered(*kinds: str, **also: float) -> Case:
    """Whatever receivers answer, one after the other."""
    return Case(lambda place: place.answer(*(Outcome(kind, f"it said {kind}", **also) for kind in kinds)))


def _present(place: Place, kind: str) -> None:
    place.now = datetime.now(UTC)
    place.answer(Outcome(kind, f"it said {kind}"))


def _expired(place: Place) -> None:
    place.later(hours=2)


def _opens(place: Place) -> None:
    place.later(days=2)


def _suppressed(place: Place) -> None:
    place.send()
    place.crowd()
    with place.ws.ledger.reading() as connection:
        [hold] = holds.open_holds(connection)
    decide(place.ws, hold.hold_id, "discard", by="rita", at=place.now)


HUBSPOT = (("NAME", "hubspot"),)
RECEIVER = (("NAME", "sales_alerts"),)
DAYS = (("AUTOMATION", "mql"), ("FROM", "2000-01-01"), ("TO", "2100-01-01"))

OF_SENDING = {
    "a parked score": Case(_parked_score, mend=lambda place: place.crm.refusals.clear()),
    "a deferred score": Case(_deferred, alone=lambda place: place.later(hours=1)),
    "a lead that the CRM did not find": Case(_not_found, mend=_is_there, alone=_read_back),
    "a small change": Case(_small, by_hand=Place.mend_mapping, alone=_moves_more),
    "a person who cannot be told": Case(_claimed_by_two, by_hand=_told_apart),
    "a rehearsal": Case(_rehearse, by_hand=Place.mend_mapping),
    "a person's score": Case(_overridden, alone=_expire_override),
    "a scorecard that no CRM shows": Case(
        _untargeted, by_hand=Place.mend_mapping, after=lambda place: place.run(), base="installed"
    ),
    "a CRM that is left alone": Case(_refused_by_the_crm, names=HUBSPOT),
    "a quota that is spent": Case(_quota_spent, by_hand=_new_day, alone=_new_day),
    "a score in the hands of a dead worker": Case(
        _killed,
        by_hand=_reconciled,
        alone=_lease_ends,
        over=lambda place, said: not is_said("hubspot, … due", said),
    ),
    "a delivery that is tried again": Case(
        lambda place: place.answer(Outcome("transient", "it is down")),
        alone=lambda place: place.later(hours=1),
    ),
    "a delivery without a Connection": Case(
        lambda place: place.answer(Outcome("unready", "there is no Connection `sales_alerts`")),
        by_hand=lambda place: place.later(minutes=6),
    ),
    "a delivery outside its hours": Case(lambda place: place.send(), alone=_opens, base="closed today"),
    "a receiver that is left alone": Case(lambda place: _present(place, "auth"), names=RECEIVER),
    "a receiver that is gone": Case(lambda place: _present(place, "gone"), names=RECEIVER),
    "a parked delivery": Case(lambda place: place.answer(Outcome("record", "it refused"))),
    "a delivery without an answer": Case(
        lambda place: place.answer(Outcome("unknown", "it broke off")), base="by e-mail"
    ),
    "an expired delivery": Case(_expired, base="expiring"),
    "suppressed crossings": Case(_suppressed, names=DAYS),
}
