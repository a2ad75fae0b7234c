"""Fills a new Tryton database with a sales team and its leads; runs in Tryton's own environment.

python seed.py trytond.conf DATABASE
"""

import datetime as dt
import sys

from trytond import config
from trytond.pool import Pool
from trytond.transaction import Transaction

LEADS = 260
FIRST = dt.datetime(2026, 9, 1, 8, 0, 0, 250000)  # noqa: DTZ001 - Tryton keeps UTC without saying so
"""When the first lead was made; the others follow every two hours, and activities up to 20 November."""

TITLES = ("Head of Sales", "CTO", "Student", "", "Vice President Marketing")
STATES = ("lead", "lead", "lead", "opportunity", "cancelled")


def seed() -> None:
    """Everything; moments are set afterwards, because Tryton gives a new record the present."""
    company, sales = _company()
    _users(company, sales)
    leads = _leads(company, sales)
    _activities(leads)
    _date("party.address", "party.contact_mechanism", "party.party")


def _company():
    [euro] = _make("currency.currency", {"name": "Euro", "code": "EUR", "symbol": "€"})
    [party] = _make("party.party", {"name": "Example GmbH"})
    [company] = _make("company.company", {"party": party, "currency": euro})
    [person] = _make("party.party", {"name": "Sam Seller"})
    [employee] = _make("company.employee", {"party": person, "company": company})
    return company, employee


def _users(company, employee) -> None:
    """Rescore's own user, who may read and write leads only, one who may not even that, and a salesperson."""
    data = Pool().get("ir.model.data")
    groups = {
        name: data.get_id(module, f"group_{name}")
        for module, name in (
            ("sale_opportunity_score", "rescore"),
            ("sale_opportunity", "opportunity"),
            ("sale", "sale"),
        )
    }
    for login, has in {
        "rescore": ("rescore",),
        "stranger": (),
        "reader": ("sale",),
        "sales": ("sale", "opportunity"),
    }.items():
        _make(
            "res.user",
            {
                "name": login.title(),
                "login": login,
                "password": f"{login}-password-{len(login)}",
                "groups": [("add", [groups[name] for name in has])],
                "companies": [("add", [company])],
                "company": company,
                **({"employees": [("add", [employee])], "employee": employee} if login == "sales" else {}),
            },
        )


def _leads(company, employee) -> list[int]:
    """Leads of parties with an e-mail address each; the first two belong to one party."""
    parties = _make(
        "party.party",
        *(
            {
                "name": f"Person {number}",
                "addresses": [("create", [{"city": "Berlin" if number % 2 else "Paris"}])],
                "contact_mechanisms": [
                    ("create", [{"type": "email", "value": f"person{number}@example.com"}])
                ],
            }
            for number in range(1, LEADS)
        ),
    )
    return _make(
        "sale.opportunity",
        *(
            {
                "party": party,
                "company": company,
                "employee": employee,
                "description": TITLES[number % len(TITLES)],
                "amount": None if number % 3 else number * 100,
                "state": STATES[number % len(STATES)],
                "start_date": (FIRST + dt.timedelta(hours=2 * number)).date(),
            }
            for number, party in enumerate([parties[0], *parties])
        ),
        at=lambda number: FIRST + dt.timedelta(hours=2 * number),
    )


def _activities(leads: list[int]) -> None:
    """Notes, e-mails, and a campaign whose messages were opened and clicked."""
    _make(
        "ir.note",
        *(
            {"resource": f"sale.opportunity,{lead}", "message": f"Called, asked for offer {lead}"}
            for lead in leads[::2]
        ),
        at=lambda number: FIRST + dt.timedelta(hours=4 * number + 1),
    )
    _make(
        "ir.email",
        *(
            {
                "resource": f"sale.opportunity,{lead}",
                "recipients": "someone@example.com",
                "subject": f"Your offer {lead}",
            }
            for lead in leads[::3]
        ),
        at=lambda number: FIRST + dt.timedelta(hours=6 * number + 2),
    )
    _campaign([lead.party for lead in Pool().get("sale.opportunity").browse(leads[1::4])])


def _campaign(parties) -> None:
    [scenario] = _make(
        "marketing.automation.scenario", {"name": "Autumn", "model": "party.party", "domain": "[]"}
    )
    [step] = _make(
        "marketing.automation.activity",
        {
            "name": "Welcome",
            "parent": f"marketing.automation.scenario,{scenario}",
            "action": "send_email",
            "email_title": "Welcome",
            "email_template": "<html><body></body></html>",
        },
    )
    records = _make(
        "marketing.automation.record",
        *({"scenario": scenario, "record": f"party.party,{int(party)}"} for party in parties),
    )
    sent = _make(
        "marketing.automation.record.activity",
        *({"record": record, "activity": step, "state": "done", "at": FIRST} for record in records),
    )
    method = "marketing.automation.record.activity|on_email_"
    urls = _make(
        "web.shortened_url",
        *(
            {
                "record": f"marketing.automation.record.activity,{one}",
                "method": method + kind,
                "redirect_url": f"https://www.example.com/{page}",
            }
            for one in sent
            for kind, page in (("opened", "m/empty.gif"), ("clicked", "pricing"))
        ),
    )
    _make(
        "web.shortened_url.access",
        *({"url": url} for url in urls),
        at=lambda number: FIRST + dt.timedelta(hours=12 * number + 3),
    )


def _make(model: str, *values: dict, at=lambda number: FIRST) -> list[int]:
    """New records, and when each was made."""
    made = Pool().get(model).create([{k: v for k, v in one.items() if v is not None} for one in values])
    table = Pool().get(model).__table__()
    cursor = Transaction().connection.cursor()
    for number, record in enumerate(made):
        columns, this = [table.create_date, table.write_date], table.id == record.id
        cursor.execute(*table.update(columns, [at(number), None], where=this))
    return [record.id for record in made]


def _date(*models: str) -> None:
    """What came along with other records was made when the first lead was."""
    cursor = Transaction().connection.cursor()
    for model in models:
        table = Pool().get(model).__table__()
        cursor.execute(*table.update([table.create_date, table.write_date], [FIRST, None]))


if __name__ == "__main__":
    config.update_etc(sys.argv[1])
    pool = Pool(sys.argv[2])
    pool.init()
    with Transaction().start(sys.argv[2], 1, context={"company": 1}):
        seed()
