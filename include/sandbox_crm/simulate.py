"""Turns a `leadforge` simulation into a script of CRM facts.

leadforge (MIT) simulates a B2B SaaS sales motion in days: touches, web sessions, sales activities. Here each
lead becomes one contact, each of those rows becomes what a CRM would have recorded, and days get times.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from sandbox_crm import facts
from sandbox_crm.deals import a_deal
from sandbox_crm.people import company_properties, contact_properties
from sandbox_crm.shapes import Change, Contact, Properties, Script, Slot

RECIPE: Final = "b2b_saas_procurement_v1"
MODE: Final = "research_instructor"
FIRST_DAY: Final = date(2024, 1, 1)
LAST_DAY: Final = 118  # leadforge's leads arrive over 30 days and are followed for 90
LATE_EVERY: Final = 33
LATE_DAYS: Final = 10
FIRST_CONTACT_ID: Final = 100_001
FIRST_ENGAGEMENT_ID: Final = 5_000_001
FIRST_DEAL_ID: Final = 3_000_001

Row = dict[str, Any]
Progress = Callable[[str], None]


def simulate(*, leads: int, seed: int, progress: Progress) -> Script:
    """Run leadforge and derive every fact; the same arguments always give the same script."""
    progress(f"simulating {leads:,} leads with leadforge (seed {seed})")
    tables = _leadforge(leads, seed)
    history: dict[str, list[tuple[int, str, Row]]] = defaultdict(list)
    for kind, day_column in (
        ("touches", "touch_timestamp"),
        ("sessions", "session_timestamp"),
        ("sales_activities", "activity_timestamp"),
    ):
        for row in tables[kind]:
            history[row["lead_id"]].append((_day(row[day_column]), kind, row))
    milestones, opportunities = _milestones(tables), _opportunities(tables)
    accounts, people = _companies(tables["accounts"], seed), {r["contact_id"]: r for r in tables["contacts"]}

    progress("deriving contacts and activities")
    script, emails = Script(), set[str]()
    for number, lead in enumerate(tables["leads"]):
        rng = random.Random(f"{seed}:{lead['lead_id']}")  # noqa: S311 - a seeded world, not a secret
        contact_id = FIRST_CONTACT_ID + number
        past = sorted(history[lead["lead_id"]], key=lambda fact: fact[0])
        late = number // LATE_EVERY % LATE_DAYS if number % LATE_EVERY == LATE_EVERY - 1 else None
        days_before = _calendar(_day(lead["lead_created_at"]), past, late, rng)
        properties = contact_properties(
            people[lead["contact_id"]], lead, accounts[lead["account_id"]], rng, emails
        )
        stages = milestones[lead["lead_id"]]
        contact = _contact(contact_id, lead, properties, stages, days_before, rng)
        script.contacts.append(contact)
        scribe = facts.Scribe(script, contact, rng)
        for day, kind, row in past:
            if days_before(day) >= 0:  # a late arrival's later days have not happened yet
                scribe.write(kind, row, days_before(day))
        for row in opportunities[lead["lead_id"]]:
            created, closed = (
                days_before(_day(at)) if at else None for at in (row["created_at"], row["closed_at"])
            )
            if created is not None and created >= 0:
                script.deals.append(a_deal(contact, row, created, closed, rng))
    _number_engagements(script)
    _number_deals(script)
    return script


def _leadforge(leads: int, seed: int) -> dict[str, list[Row]]:
    # a second to import, and only needed without a cache
    from leadforge.api.generator import Generator

    bundle = Generator.from_recipe(
        RECIPE,
        seed=seed,
        exposure_mode=MODE,
        n_leads=leads,
        n_accounts=max(20, leads * 3 // 10),
        n_contacts=max(40, leads * 84 // 100),
    ).generate()
    population, result = bundle.population, bundle.simulation_result
    tables = {name: getattr(population, name) for name in ("accounts", "contacts")}
    tables |= {
        name: getattr(result, name)
        for name in ("leads", "touches", "sessions", "sales_activities", "opportunities")
    }
    return {name: [row.to_dict() for row in rows] for name, rows in tables.items()}


def _calendar(
    created: int, past: list[tuple[int, str, Row]], late: int | None, rng: random.Random
) -> Callable[[int], int]:
    """How many days before the end of the world a simulated day of this lead falls.

    leadforge starts everybody in the same month, so its last days are nearly empty. Each lead's whole history
    moves by one number of days, which keeps its order and gaps and fills the last days too; a lead that
    is `late` arrives that many days before the end, and its later history is still to come.
    """
    last = past[-1][0] if past else created
    start = rng.randint(created, LAST_DAY - (last - created)) if late is None else LAST_DAY - late
    return lambda day: LAST_DAY - (day - created + start)


def _contact(
    contact_id: int,
    lead: Row,
    properties: Properties,
    stages: list[tuple[int, Properties]],
    days_before: Callable[[int], int],
    rng: random.Random,
) -> Contact:
    slot = Slot(days_before(_day(lead["lead_created_at"])), facts.web_time(rng) // 4)
    outbound = lead["lead_source"] == "sdr_outbound"
    start: Properties = {
        "lifecyclestage": "lead" if outbound else "marketingqualifiedlead",
        "hs_lead_status": "NEW",
    }
    changes = [
        Change(Slot(days_before(day), facts.office_time(rng)), changed)
        for day, changed in stages
        if days_before(day) >= 0
    ]
    return Contact(contact_id, slot, properties | start, changes)


def _milestones(tables: dict[str, list[Row]]) -> dict[str, list[tuple[int, Properties]]]:
    """Per lead: the days on which its lifecycle stage changed, and to what."""
    milestones: dict[str, list[tuple[int, Properties]]] = defaultdict(list)
    for opportunity in tables["opportunities"]:
        lead = milestones[opportunity["lead_id"]]
        lead.append(
            (
                _day(opportunity["created_at"]),
                {"lifecyclestage": "opportunity", "hs_lead_status": "OPEN_DEAL"},
            )
        )
        if opportunity["close_outcome"] == "closed_won":
            lead.append(
                (
                    _day(opportunity["closed_at"]),
                    {"lifecyclestage": "customer", "hs_lead_status": "CONNECTED"},
                )
            )
        elif opportunity["close_outcome"] == "closed_lost":
            lead.append(
                (_day(opportunity["closed_at"]), {"lifecyclestage": "other", "hs_lead_status": "UNQUALIFIED"})
            )
    return milestones


def _opportunities(tables: dict[str, list[Row]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in tables["opportunities"]:
        found[row["lead_id"]].append(row)
    return found


def _companies(accounts: list[Row], seed: int) -> dict[str, Properties]:
    rng, taken = random.Random(f"{seed}:companies"), set[str]()  # noqa: S311
    return {account["account_id"]: company_properties(account, rng, taken) for account in accounts}


def _number_engagements(script: Script) -> None:
    """Ids in order of time, as a CRM that numbers what it is given would have them."""
    script.engagements.sort(key=lambda e: (-e.slot.days_before, e.slot.time_of_day, e.contact_id))
    script.engagements[:] = [
        engagement._replace(id=FIRST_ENGAGEMENT_ID + number)
        for number, engagement in enumerate(script.engagements)
    ]


def _number_deals(script: Script) -> None:
    script.deals.sort(key=lambda deal: (-deal.slot.days_before, deal.slot.time_of_day, deal.contact_id))
    script.deals[:] = [deal._replace(id=FIRST_DEAL_ID + number) for number, deal in enumerate(script.deals)]


def _day(text: str) -> int:
    return (date.fromisoformat(text[:10]) - FIRST_DAY).days
