"""Some hundred people, what they did, and what went wrong with a few of them; the same every time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sandbox_salesforce.organisation import Organisation

TITLES: Final = ("CEO", "VP Marketing", "Director of IT", "Engineer", "Office manager", "")
INDUSTRIES: Final = ("Software", "Banking", "Retail", "Energy")
SCORE_FIELDS: Final = {
    "Rescore_Score__c": "double",
    "Rescore_Engagement__c": "double",
    "Rescore_Fit__c": "double",
    "Rescore_Rules_Version__c": "double",
    "Rescore_Band__c": "string",
    "Rescore_Reasons__c": "string",
    "Rescore_Changed_At__c": "datetime",
}


def fill(org: Organisation, *, ends_at: datetime, leads: int = 300, contacts: int = 120) -> None:
    """People and activities of the 90 days before `ends_at`, and the fields that are ours.

    Many leads bear the stamp of one mass update. Some leads are converted, merged or deleted; a few
    meetings are still to come.
    """
    add_score_fields(org)
    _World(org, ends_at).make(leads, contacts)


def add_score_fields(org: Organisation) -> None:
    """As an administrator adds them, by hand."""
    for kind in ("Lead", "Contact"):
        for name, of_type in SCORE_FIELDS.items():
            org.add_field(kind, name, of_type, tracked=of_type == "double")  # type: ignore[arg-type]
    for kind in ("Task", "Event"):
        for name in ("Rescore_Delivery__c", "Rescore_Automation__c"):
            org.add_field(kind, name)


class _World:
    def __init__(self, org: Organisation, ends_at: datetime) -> None:
        self.org = org
        self.ends_at = ends_at
        self.people: list[str] = []

    def make(self, leads: int, contacts: int) -> None:
        clock = self.org.clock
        try:
            self._make(leads, contacts)
        finally:
            self.org.clock = clock

    def _make(self, leads: int, contacts: int) -> None:
        accounts = [
            self._at(number, "Account", Name=f"Company {number}", Industry=INDUSTRIES[number % 4])
            for number in range(max(1, contacts // 3))
        ]
        named = [self._lead(number, leads) for number in range(leads)]
        known = [self._contact(number, contacts, accounts) for number in range(contacts)]
        self.people = [*named, *known]
        for number, lead in enumerate(named[:5]):
            self._now(number)
            self.org.records.convert(lead, known[number])
        for number, lead in enumerate(named[5:8]):
            self._now(number)
            self.org.records.delete("Lead", lead)
        self.org.records.delete("Lead", named[8], master=named[9])
        self.org.records.delete("Contact", known[6], master=known[7])
        self._activities()
        self._opportunities(known)

    def _lead(self, number: int, of: int) -> str:
        moment = of // 2 if number < of - 60 else number  # most of them were changed at once
        return self._at(
            moment,
            "Lead",
            FirstName="Sandbox",
            LastName=f"Lead {number}",
            Email=f"lead{number}@example.com",
            Title=TITLES[number % len(TITLES)],
            Company=f"Company {number % 40}",
            Industry=INDUSTRIES[number % 4],
            Country="Germany",
            NumberOfEmployees=float(number * 7 % 900),
            OwnerId=self.org.admin,
        )

    def _contact(self, number: int, of: int, accounts: list[str]) -> str:
        return self._at(
            number,
            "Contact",
            FirstName="Sandbox",
            LastName=f"Contact {number}",
            Email=f"contact{number}@example.com",
            Title=TITLES[number % len(TITLES)],
            AccountId=accounts[number % len(accounts)],
            MailingCountry="France",
            OwnerId=self.org.admin,
        )

    def _activities(self) -> None:
        campaign = self._at(0, "Campaign", Name="Webinar", Type="Webinar")
        for number, person in enumerate(self.people):
            done = self._moment(number)
            self._at(
                number,
                "Task",
                WhoId=person,
                Subject=f"Call {number}",
                TaskSubtype="Call" if number % 2 else "Email",
                Status="Completed",
                IsClosed=True,
                IsArchived=number % 11 == 0,
                CompletedDateTime=done.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
                OwnerId=self.org.admin,
            )
            if number % 5 == 0:
                start = self.ends_at + timedelta(days=2) if number % 50 == 0 else done
                moment = start.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
                self._at(number, "Event", WhoId=person, Subject="Demo", StartDateTime=moment)
            if number % 3 == 0:
                field = "LeadId" if person.startswith("00Q") else "ContactId"
                self._at(
                    number,
                    "CampaignMember",
                    CampaignId=campaign,
                    Status="Responded" if number % 2 else "Sent",
                    HasResponded=bool(number % 2),
                    FirstRespondedDate=done.date().isoformat() if number % 2 else None,
                    **{field: person},
                )
        self._at(1, "Task", Subject="About nobody", Status="Completed", IsClosed=True)

    def _opportunities(self, contacts: list[str]) -> None:
        for number in range(0, len(contacts), 4):
            won = number % 8 == 0
            deal = self._at(
                number,
                "Opportunity",
                Name=f"Deal {number}",
                StageName="Closed Won" if won else "Negotiation",
                IsClosed=won,
                IsWon=won,
                Amount=1000.0 * number,
                CloseDate=self._moment(number).date().isoformat(),
            )
            for contact in contacts[number : number + 2]:
                self._at(
                    number, "OpportunityContactRole", OpportunityId=deal, ContactId=contact, Role="Buyer"
                )

    def _at(self, number: int, name: str, **values: object) -> str:
        self._now(number)
        return self.org.records.insert(name, self.org.admin, **values)

    def _now(self, number: int) -> None:
        moment = self._moment(number)
        self.org.clock = lambda: moment

    def _moment(self, number: int) -> datetime:
        return self.ends_at - timedelta(hours=number * 31 % 2160, minutes=number % 60)
