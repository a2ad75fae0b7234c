"""Invented people and companies at example domains, drawn from a seeded generator."""

import random
import re
from typing import Final

from sandbox_crm.shapes import Properties

FIRST_COMPANY_ID: Final = 900_000


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN: Final = _words("""
    Ada Amara Anika Astrid Beatriz Bram Bruno Camille Chidi Clara Dana Davit Elif Emeka Esra Farid
    Fenna Freya Gareth Greta Hana Hugo Imani Ines Ivo Jonas Joost Kaia Kofi Lars Leila Linnea Lucia
    Magnus Maren Mateo Mila Nadia Nils Noor Odile Omar Paloma Pavel Petra Quentin Rafael Ravi Rosa
    Sanna Selim Sofia Tariq Thea Tomas Ulla Viktor Wanda Xenia Yara Yusuf Zoe
""")
FAMILY: Final = _words("""
    Aldermoor Ashgrove Balewood Barrowby Birchmere Blackfen Brightwell Brookhurst Calderon-Vale
    Coldharbour Copperfield-Ames Crossmere Dunmarrow Eastlake Elmsworth Fairbourne Fennimore Foxglen
    Gladewell Greyhollow Hartmoor Hawksmere Hazelgrove Holloway-Finch Ironbridge Kestrelman
    Kingsmarch Larkfield Lindenhall Longmere Marlowick Meadowcroft Millbrand Moorland Nettleship
    Northgate Oakenshaw Okonjo-Reed Penhallow Pinewright Quillfeather Ravensholm Redfern-Wade
    Rosethorn Saltmarsh Sandoval-Pike Silverlake Stonebrook Summerhay Swiftwater Tallowby
    Thornbury-Lane Underhill-Cole Vandermeer-Ash Wainfleet Westerfold Whitlock-Dorn Willowmere
    Winterbourne Yarrowby
""")
FIRST_PART: Final = _words("""
    Alder Amber Barrow Brindle Calder Cinder Copper Dapple Dover Ember Fallow Fenn Glimmer Harrow
    Hollow Ivory Juniper Kestrel Larch Linden Marl Meadow Nimbus Oaken Pebble Quarry Raven Rowan
    Saffron Sable Tarn Thistle Umber Velvet Wander Willow Yarrow Zephyr
""")
SECOND_PART: Final = _words("""
    bank brook by crest dale fell field ford gate glen grove haven hurst lake lock march mere moor
    reach ridge shaw shore stead stone thorpe vale ward water well wick wood worth
""")
TRADE: Final = {
    "logistics": ("Freight", "Haulage", "Logistics", "Shipping"),
    "manufacturing": ("Castings", "Works", "Tooling", "Manufacturing"),
    "healthcare_non_clinical": ("Care Services", "Health Supply", "Wellbeing"),
    "professional_services": ("Advisory", "Partners", "Consulting", "Associates"),
}
INDUSTRY: Final = {
    "logistics": "LOGISTICS_AND_SUPPLY_CHAIN",
    "manufacturing": "MACHINERY",
    "healthcare_non_clinical": "HOSPITAL_HEALTH_CARE",
    "professional_services": "MANAGEMENT_CONSULTING",
}
COUNTRY: Final = {"UK": "United Kingdom", "US": "United States"}
EMPLOYEES: Final = {
    "200-499": (200, 499),
    "500-999": (500, 999),
    "1000-1999": (1000, 1999),
    "2000+": (2000, 9000),
}
REVENUE: Final = {"$1M-$10M": (1, 10), "$10M-$50M": (10, 50), "$50M-$200M": (50, 200), "$200M+": (200, 900)}
BUYING_ROLE: Final = {
    "economic_buyer": "BUDGET_HOLDER",
    "champion": "CHAMPION",
    "technical_evaluator": "INFLUENCER",
    "end_user": "END_USER",
}
SOURCES: Final = {
    "inbound_marketing": ("ORGANIC_SEARCH", "PAID_SEARCH", "SOCIAL_MEDIA", "EMAIL_MARKETING"),
    "partner_referral": ("REFERRALS",),
    "sdr_outbound": ("OFFLINE",),
}
PERSONAL_DOMAINS: Final = ("example.com", "example.org", "example.net")


def company_properties(account: dict[str, str], rng: random.Random, taken: set[str]) -> Properties:
    """The company-side properties one account lends to its contacts; `taken` keeps names unique."""
    while True:
        stem = rng.choice(FIRST_PART) + rng.choice(SECOND_PART)
        name = f"{stem} {rng.choice(TRADE[account['industry']])}"
        if name not in taken:
            taken.add(name)
            break
    low, high = EMPLOYEES[account["employee_band"]]
    millions = rng.uniform(*REVENUE[account["estimated_revenue_band"]])
    return {
        "company": name,
        "website": f"www.{slug(name)}.example",
        "country": COUNTRY[account["region"]],
        "industry": INDUSTRY[account["industry"]],
        "numemployees": str(rng.randint(low, high)),
        "associatedcompanyid": str(FIRST_COMPANY_ID + int(account["account_id"].rpartition("_")[2])),
        "annualrevenue": str(round(millions * 1_000_000, -3)).removesuffix(".0"),
    }


def contact_properties(
    contact: dict[str, str],
    lead: dict[str, str],
    company: Properties,
    rng: random.Random,
    taken: set[str],
) -> Properties:
    """One invented person with the title and role of the simulated contact; `taken` keeps e-mails unique."""
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    domain = str(company["website"]).removeprefix("www.")
    if contact["email_domain_type"] == "personal":
        domain = rng.choice(PERSONAL_DOMAINS)
    email, number = f"{slug(given)}.{slug(family)}@{domain}", 2
    while email in taken:
        email, number = f"{slug(given)}.{slug(family)}{number}@{domain}", number + 1
    taken.add(email)
    return company | {
        "firstname": given,
        "lastname": family,
        "email": email,
        "hs_email_domain": domain,
        "jobtitle": contact["job_title"],
        "hs_seniority": contact["seniority"],
        "hs_buying_role": BUYING_ROLE[contact["buyer_role"]],
        "hs_analytics_source": rng.choice(SOURCES[lead["lead_source"]]),
        "lead_source": lead["lead_source"],
        "hs_email_optout": "true" if rng.random() < 0.04 else "false",
        "hs_email_bounce": "1" if rng.random() < 0.02 else "0",
        "hubspot_owner_id": str(7000 + int(lead["owner_rep_id"].removeprefix("rep_"))),
    }


def slug(text: str) -> str:
    """Lower case letters and digits joined by hyphens, as in a domain."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
