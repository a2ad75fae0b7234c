"""Plants the rows that real CRMs contain and connectors stumble over, and counts them."""

import random
from typing import Final

from sandbox_crm.facts import MINUTE, SITE
from sandbox_crm.shapes import Contact, EmailEvent, Engagement, PageView, Properties, Script, Slot

UNKNOWN_CONTACT: Final = 999_999_999
FIRST_PLANTED_ID: Final = 9_000_001
MERGED_AWAY: Final = (99_001, 99_002)
ODD_PROPERTIES: Final[tuple[tuple[str, Properties], ...]] = (
    ("contact with null attributes", {"jobtitle": None, "company": None, "country": None, "industry": None}),
    ("contact with null attributes", {"jobtitle": None, "numemployees": None}),
    ("contact with a wrong type", {"numemployees": "many"}),
    ("contact with a wrong type", {"numemployees": "1.000,5", "hs_email_optout": "perhaps"}),
    ("contact with a NUL byte", {"jobtitle": "Chief\x00 Technology Officer"}),
    ("contact with emoji", {"jobtitle": "VP Growth 🚀", "firstname": "Zoë 👩‍💻"}),
    ("contact with markup", {"company": "<script>alert('x')</script> & Sons", "lastname": '"><img src=x>'}),
    ("contact with a giant text", {"jobtitle": "Head of everything, " * 600}),
    (
        "merged contact",
        {
            "hs_merged_object_ids": ";".join(map(str, MERGED_AWAY)),
            "hs_additional_emails": "former.name@example.org;second.desk@example.net",
        },
    ),
)
TWICE: Final = 2  # of each kind of web activity, so many rows come a second time
PAST: Final = Slot(12, 10 * 60 * MINUTE)


def plant(script: Script, *, seed: int) -> tuple[Script, dict[str, int]]:
    """A copy of the script with awkward rows in it, and how many there are of each kind."""
    rng = random.Random(f"{seed}:awkward")  # noqa: S311 - a seeded world, not a secret
    settled = [c for c in script.contacts if c.slot.days_before > PAST.days_before]
    chosen = rng.sample(settled, len(ODD_PROPERTIES))
    odd = {
        contact.id: contact._replace(properties=contact.properties | properties)
        for contact, (_, properties) in zip(chosen, ODD_PROPERTIES, strict=True)
    }
    planted: dict[str, int] = {}
    for kind, _ in ODD_PROPERTIES:
        planted[kind] = planted.get(kind, 0) + 1
    engagements = _engagements(settled, rng)
    page_views, email_events = _web(settled, rng)
    planted |= {
        "activity in the future": 2,
        "activity of an unknown contact": 2 + 1 + 1,  # engagements, a page view, an e-mail open
        "e-mail to a merged contact's former address": 1,
        "note with a NUL byte": 1,
        "page view without an address": 1,
        "duplicate row": 3 * TWICE,
    }
    return (
        Script(
            contacts=[odd.get(contact.id, contact) for contact in script.contacts],
            engagements=script.engagements + engagements,
            deals=script.deals,
            page_views=script.page_views + page_views + script.page_views[:TWICE],
            email_events=script.email_events + email_events + script.email_events[:TWICE],
            submissions=script.submissions + script.submissions[:TWICE],
        ),
        planted,
    )


def _engagements(contacts: list[Contact], rng: random.Random) -> list[Engagement]:
    known = [contact.id for contact in rng.sample(contacts, 3)]
    rows: list[tuple[str, int, Slot, Properties]] = [
        (
            "meetings",
            known[0],
            Slot(-2, PAST.time_of_day),
            {"hs_meeting_title": "Planned", "hs_meeting_outcome": "SCHEDULED"},
        ),
        (
            "calls",
            known[1],
            Slot(-400, PAST.time_of_day),
            {"hs_call_title": "Wrong year", "hs_call_status": "COMPLETED"},
        ),
        ("calls", UNKNOWN_CONTACT, PAST, {"hs_call_title": "Call", "hs_call_status": "COMPLETED"}),
        ("notes", UNKNOWN_CONTACT, PAST, {"hs_note_body": "About somebody who is gone"}),
        ("notes", known[2], PAST, {"hs_note_body": "Pasted from\x00 elsewhere 🙃"}),
    ]
    return [
        Engagement(FIRST_PLANTED_ID + number, kind, contact, slot, MINUTE, properties)
        for number, (kind, contact, slot, properties) in enumerate(rows)
    ]


def _web(contacts: list[Contact], rng: random.Random) -> tuple[list[PageView], list[EmailEvent]]:
    return (
        [
            PageView("planted-without-address", rng.choice(contacts).id, PAST, "", ""),
            PageView("planted-unknown-contact", UNKNOWN_CONTACT, PAST, f"{SITE}/pricing", "Pricing"),
        ],
        [
            EmailEvent("planted-unknown-recipient", "OPEN", UNKNOWN_CONTACT, PAST, 41001, "Hello", None),
            EmailEvent("planted-former-address", "OPEN", MERGED_AWAY[0], PAST, 41001, "Hello", None),
        ],
    )
