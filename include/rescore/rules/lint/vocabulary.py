"""Words that stand in job titles, industries and page addresses everywhere: for warnings without a lake."""

from typing import Final

_TITLES = (
    "account accountant accounting actor administration administrator advisor affairs analyst application "
    "architect architecture artist assistant associate attorney auditor automation banker board brand broker "
    "building business buyer capital captain category chairman chapter chemist chief civil clerk client "
    "coach commerce commercial communications community compliance consultant consulting contractor "
    "controller coordinator copywriter corporate counsel creative credit customer data dean dentist "
    "deputy design designer developer development digital director distribution district doctor editor "
    "education electrical engineer engineering enterprise environment events executive expert facilities "
    "field finance financial founder freelance general global graduate graphics growth guest head health "
    "hospital human industrial information infrastructure innovation inspector instructor insurance "
    "integration intern internal international internet investment investor journalist junior knowledge "
    "laboratory lawyer leader leadership learning lecturer legal librarian logistics machine maintenance "
    "management manager manufacturing market marketing materials mechanical media medical member merchant "
    "mobile network nurse office officer operations operator organization owner partner partnerships "
    "people performance personnel pharmacist physician pilot planner planning platform policy president "
    "principal process procurement product production professor programmer project property psychologist "
    "public publisher purchasing quality recruiter regional relations representative research researcher "
    "retail revenue risk safety sales school science scientist secretary security senior service software "
    "solutions sourcing specialist staff store strategic strategist strategy student success supervisor "
    "supply support surgeon system systems talent tax teacher team technical technician technology test "
    "therapist trainer training transport travel treasurer trustee tutor underwriter university user "
    "vendor vice warehouse web wholesale writer"
)

_PAGES = (
    "about academy article articles awards benefits blog brand brochure capabilities careers case catalog "
    "changelog checkout cloud community company compare compliance connect contact contest cookies "
    "customers dashboard democracy demographics demo developers docs documentation download enterprise "
    "events examples features feedback finance forum getting glossary guide guidelines help home imprint "
    "industries industry integrations investors jobs jobsite knowledge landing leadership learn legal "
    "library login logistics manufacturing marketplace media misguided news newsletter office onboarding "
    "overview partners payments platform podcast policy press preview price prices pricing privacy product "
    "products promotions quote reference references register released report research resources reviews "
    "roadmap sales security services shop signup sitemap solutions startups status story support team "
    "templates terms thanks tools topics tour training trial tutorial unsubscribe update upgrade use user "
    "videos webinar webinars welcome whitepaper why"
)

IN_TITLES: Final = frozenset(_TITLES.split())
IN_PAGES: Final = frozenset(_PAGES.split())
