"""Which hook speaks to which CRM: the name of the mapping decides."""

from rescore.connectors.hubspot import HubSpot
from rescore.errors import SettingsIncomplete
from rescore.workspace import Workspace
from rescore_airflow.hooks.hubspot import HubSpotHook

HOOKS = {"hubspot": HubSpotHook}


def connect(name: str, ws: Workspace, *, patient: bool = True) -> HubSpot:
    """The source and target called `name`, from its mapping and the Connection `rescore_<name>`.

    Not `patient`, it answers a limit of the CRM with an error instead of waiting.

    Raises:
        SettingsIncomplete: No mapping or no hook has that name, or the Connection does not hold.
        MappingInvalid: A mapping file does not hold.
    """
    mappings = ws.mappings()
    if name not in mappings or name not in HOOKS:
        known = ", ".join(sorted(mappings.keys() & HOOKS.keys())) or "none"
        raise SettingsIncomplete(f"there is no CRM called `{name}`; those with a mapping and a hook: {known}")
    return HOOKS[name](f"rescore_{name}").get_conn(mappings[name], ws.ledger, patient=patient)
