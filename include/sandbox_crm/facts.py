"""What a CRM would have recorded for each row of the simulation."""

import random
import uuid
from typing import Any, Final

from sandbox_crm import forms
from sandbox_crm.shapes import Contact, EmailEvent, Engagement, PageView, Properties, Script, Slot, Submission

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
SITE: Final = "https://www.ledgerline.example"
SITE_DE: Final = "https://de.ledgerline.example"

# The vendor's own identifiers for what came of a call.
DISPOSITION: Final = {
    "connected": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "left_voicemail": "b2cf5968-551e-4856-9783-52b3da59a7d0",
    "no_answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
    "meeting_set": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "demo_completed": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
}
ENTRY_PAGES: Final = (
    ("/", "Ledgerline: procurement that closes itself"),
    ("/product/approvals", "Approvals"),
    ("/product/invoices", "Invoices"),
    ("/customers", "Customers"),
    ("/docs/getting-started", "Getting started"),
    ("/docs/api/webhooks", "Webhooks"),
    ("/blog/three-way-match-explained", "Three-way match, explained"),
    ("/blog/what-a-late-invoice-costs", "What a late invoice costs"),
    ("/integrations", "Integrations"),
    ("/about", "About us"),
    ("/careers", "Careers"),
)
PRICING_URLS: Final = (
    f"{SITE}/pricing",
    f"{SITE}/pricing",
    f"{SITE}/pricing/",
    f"{SITE}/pricing?utm_source=newsletter&utm_medium=email",
    f"{SITE}/de/pricing?utm_source=google&utm_campaign=procurement",
    f"{SITE}/pricing#enterprise",
    f"{SITE_DE}/pricing",
)
DEMO_URLS: Final = (f"{SITE}/demo", f"{SITE}/demo?utm_source=linkedin", f"{SITE}/de/demo")
UTM: Final = ("", "", "", "?utm_source=google&utm_medium=cpc", "?utm_source=linkedin", "?ref=partner")
CAMPAIGNS: Final = (
    (41001, "Close the month in two days", f"{SITE}/blog/close-the-month"),
    (41002, "Your invoice to cash checklist", f"{SITE}/resources/checklist"),
    (41003, "See pricing for your team size", f"{SITE}/pricing"),
    (41004, "Join us live: approvals without e-mail", f"{SITE}/webinars/approvals"),
)
DOWNLOADS: Final = ("procurement-benchmark", "approval-policy-template", "savings-calculator")
WEBINARS: Final = ("approvals", "month-end", "supplier-onboarding")


class Scribe:
    """Writes down one contact's history, row by row, into a script."""

    def __init__(self, script: Script, contact: Contact, rng: random.Random) -> None:
        self.script, self.contact, self.rng = script, contact, rng
        if contact.properties["lead_source"] == "inbound_marketing" and rng.random() < 0.35:
            self._submit(forms.NEWSLETTER, contact.slot.later(2 * MINUTE), f"{SITE}/newsletter")

    def write(self, kind: str, row: dict[str, Any], days_before: int) -> None:
        """Record one touch, session or sales activity that happened that many days before the end."""
        if kind == "touches":
            self._touch(row, days_before)
        elif kind == "sessions":
            self._session(row, Slot(days_before, web_time(self.rng)))
        else:
            self._sales_activity(row, Slot(days_before, office_time(self.rng)))

    def _touch(self, row: dict[str, Any], days_before: int) -> None:
        inbound = row["touch_direction"] == "inbound"
        office, web = Slot(days_before, office_time(self.rng)), Slot(days_before, web_time(self.rng))
        match row["touch_type"]:
            case "email":
                self._marketing_email(web)
            case "content_download":
                self._submit(forms.DOWNLOAD, web, f"{SITE}/resources/{self.rng.choice(DOWNLOADS)}")
            case "webinar":
                self._submit(forms.WEBINAR, web, f"{SITE}/webinars/{self.rng.choice(WEBINARS)}")
            case "call":
                outcome = self.rng.choice(("connected", "left_voicemail", "no_answer"))
                self._call(office, "INBOUND" if inbound else "OUTBOUND", "connected" if inbound else outcome)
            case "linkedin_message" if inbound:
                self._engage(
                    "notes", office, {"hs_note_body": "Wrote to us on LinkedIn, asked about rollout time."}
                )
            case "linkedin_message":
                self._engage(
                    "tasks",
                    office,
                    {
                        "hs_task_subject": "LinkedIn message",
                        "hs_task_type": "LINKED_IN_MESSAGE",
                        "hs_task_status": "COMPLETED",
                        "hs_task_completion_date": None,  # the store writes the date once it is known
                        "hs_task_priority": self.rng.choice(("LOW", "MEDIUM", "HIGH")),
                    },
                )

    def _session(self, row: dict[str, Any], slot: Slot) -> None:
        path, title = self.rng.choice(ENTRY_PAGES)
        self._see(slot, f"{SITE}{path}{self.rng.choice(UTM)}", title)
        for url, title, times in (
            (self.rng.choice(PRICING_URLS), "Pricing", row["pricing_page_views"]),
            (self.rng.choice(DEMO_URLS), "Book a demo", row["demo_page_views"]),
        ):
            for _ in range(times):
                slot = slot.later(self.rng.randint(20, 400) * 1000)
                self._see(slot, url, title)
        if row["demo_page_views"] > 1:
            self._submit(forms.DEMO, slot.later(2 * MINUTE), f"{SITE}/demo")
        elif row["session_type"] == "website" and row["page_views"] == 10:
            self._submit(forms.CONTACT, slot.later(3 * MINUTE), f"{SITE}/contact")

    def _sales_activity(self, row: dict[str, Any], slot: Slot) -> None:
        outcome = row["activity_outcome"]
        match row["activity_type"]:
            case "call":
                self._call(slot, "OUTBOUND", outcome)
            case "email":
                replied = outcome in ("connected", "meeting_set")
                self._engage(
                    "emails",
                    slot,
                    {
                        "hs_email_direction": "INCOMING_EMAIL" if replied else "EMAIL",
                        "hs_email_status": "SENT",
                        "hs_email_subject": "Re: next steps" if replied else "Following up",
                    },
                )
            case kind:
                showed = outcome != "no_answer"
                self._engage(
                    "meetings",
                    slot,
                    {
                        "hs_meeting_title": "Product demo" if kind == "demo" else "Discovery meeting",
                        "hs_activity_type": "Demo" if kind == "demo" else "Discovery",
                        "hs_meeting_outcome": "COMPLETED" if showed else "NO_SHOW",
                        "hs_meeting_start_time": None,  # the same
                    },
                )

    def _marketing_email(self, slot: Slot) -> None:
        campaign, subject, url = self.rng.choice(CAMPAIGNS)
        contact = self.contact.id
        opened = EmailEvent(random_uuid(self.rng), "OPEN", contact, slot, campaign, subject, None)
        self.script.email_events.append(opened)
        if self.rng.random() < 0.3:
            later = slot.later(self.rng.randint(15, 600) * 1000)
            self.script.email_events.append(
                EmailEvent(
                    random_uuid(self.rng),
                    "CLICK",
                    contact,
                    later,
                    campaign,
                    subject,
                    f"{url}?utm_source=email",
                )
            )

    def _call(self, slot: Slot, direction: str, outcome: str) -> None:
        talked = DISPOSITION[outcome] == DISPOSITION["connected"]
        self._engage(
            "calls",
            slot,
            {
                "hs_call_title": "Call",
                "hs_call_direction": direction,
                "hs_call_disposition": DISPOSITION[outcome],
                "hs_call_duration": str(self.rng.randint(60, 1800) * 1000 if talked else 0),
                "hs_call_status": "COMPLETED" if talked else "NO_ANSWER",
            },
        )

    def _engage(self, kind: str, slot: Slot, properties: Properties) -> None:
        owner: Properties = {"hubspot_owner_id": self.contact.properties["hubspot_owner_id"]}
        logged_after = self.rng.randint(1, 30) * MINUTE
        self.script.engagements.append(
            Engagement(0, kind, self.contact.id, slot, logged_after, properties | owner)
        )

    def _see(self, slot: Slot, url: str, title: str) -> None:
        self.script.page_views.append(PageView(random_uuid(self.rng), self.contact.id, slot, url, title))

    def _submit(self, form: forms.Form, slot: Slot, url: str) -> None:
        self.script.submissions.append(
            Submission(random_uuid(self.rng), form.guid, self.contact.id, slot, url)
        )


def office_time(rng: random.Random) -> int:
    """Milliseconds after midnight UTC, in the working hours of Europe and the American east coast."""
    return int(rng.triangular(8 * HOUR, 20 * HOUR, 14 * HOUR))


def web_time(rng: random.Random) -> int:
    """Milliseconds after midnight UTC: mostly working hours, with a tail into the evening and the night."""
    return (
        int(rng.triangular(6 * HOUR, 22 * HOUR, 14 * HOUR))
        if rng.random() < 0.85
        else rng.randrange(24 * HOUR)
    )


def random_uuid(rng: random.Random) -> str:
    """A version 4 UUID that the seed decides."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
