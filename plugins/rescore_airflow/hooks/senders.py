"""Who sends which kind of delivery."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from rescore.connectors.actions import Actions
from rescore.delivery.actions.crm_fields import CrmFieldsSender
from rescore.delivery.actions.crm_task import CrmTaskSender
from rescore.delivery.actions.email import EmailSender
from rescore.delivery.actions.slack import SlackSender
from rescore.delivery.destination import require_same_account
from rescore.delivery.sender import Sender
from rescore.delivery.webhook import WebhookSender
from rescore.ledger.outbox.records import in_target
from rescore.policy.file import read_policy
from rescore.rules.actions import ActionKind
from rescore.workspace import Workspace
from rescore_airflow.hooks.crm import connect
from rescore_airflow.hooks.messages import mail_server, slack_address
from rescore_airflow.hooks.webhooks import WebhookEndpoints


def senders(ws: Workspace) -> Mapping[ActionKind, Sender]:
    """A sender for every kind; Connections are looked up when a delivery asks for one.

    Raises:
        PolicyInvalid: The policy file, which says who is internal, does not hold.
    """

    @cache
    def crm(name: str) -> Actions:
        connected: Actions = connect(name, ws, patient=False)
        require_same_account(ws.ledger, connected)
        return connected

    def record_of(target: str, lead: str) -> str | None:
        with ws.ledger.reading() as connection:
            return in_target(connection, target, [lead]).get(lead)

    of_crm = (crm, lambda name: ws.mappings()[name], ws.lake.canonical, record_of)
    return {
        "webhook": WebhookSender(WebhookEndpoints()),
        "crm_task": CrmTaskSender(*of_crm),
        "crm_fields": CrmFieldsSender(*of_crm),
        "slack": SlackSender(slack_address),
        "email": EmailSender(mail_server, read_policy(ws.policy_file).house),
    }
