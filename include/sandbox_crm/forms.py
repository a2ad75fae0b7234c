"""The forms of the sandbox's website: what they are called and where they stand."""

from typing import Final, NamedTuple


class Form(NamedTuple):
    """A form as the vendor lists it."""

    guid: str
    name: str


DEMO: Final = Form("3b1f2c60-0d5e-4a51-9c7a-000000000001", "Demo request")
CONTACT: Final = Form("3b1f2c60-0d5e-4a51-9c7a-000000000002", "Contact us")
WEBINAR: Final = Form("3b1f2c60-0d5e-4a51-9c7a-000000000003", "Webinar registration")
NEWSLETTER: Final = Form("3b1f2c60-0d5e-4a51-9c7a-000000000004", "Newsletter")
DOWNLOAD: Final = Form("3b1f2c60-0d5e-4a51-9c7a-000000000005", "Guide download")
FORMS: Final = {form.guid: form for form in (DEMO, CONTACT, WEBINAR, NEWSLETTER, DOWNLOAD)}
