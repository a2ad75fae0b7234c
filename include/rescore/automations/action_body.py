"""The frozen bytes of every delivery that is no webhook: one JSON object, its templates filled in.

    every kind   delivery_id, scorecard, automation, kind, lead: {source, lead_id, key}, as_of
    crm_task     target, title, due_at, owner (`lead_owner` or an id), skip_if_open
    crm_fields   target, fields: [{property, value, only_from: [...] or null, if_empty}]
    slack        text
    email        to: [...], subject, text

Times are ISO 8601 in UTC. Texts hold what templates may name and nothing else of the lead; for whatever
speaks a syntax of its own (Slack's control characters, headers) they are not escaped yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from rescore.model import split_lead_key
from rescore.rules.actions import Action, CrmFields, CrmTask, Email, SetField, SlackMessage, Webhook


def action_body(
    action: Action,
    *,
    delivery: str,
    scorecard: str,
    automation: str,
    lead: str,
    as_of: datetime,
    fill: Callable[[str], str],
) -> bytes:
    """What a sender is to do for one crossing, the same bytes whoever computes them.

    `fill` puts the crossing's values into a template (`rescore.templates.filler`).
    """
    source, lead_id = split_lead_key(lead)
    said: dict[str, Any] = {
        "delivery_id": delivery,
        "scorecard": scorecard,
        "automation": automation,
        "kind": action.kind,
        "lead": {"source": source, "lead_id": lead_id, "key": lead},
        "as_of": as_of.astimezone(UTC).isoformat(),
    }
    match action:
        case CrmTask(target, title, due, owner, skip_if_open):
            due_at = (as_of + timedelta(days=due)).astimezone(UTC).isoformat()
            said |= {"target": target, "title": fill(title), "due_at": due_at, "owner": owner}
            said |= {"skip_if_open": skip_if_open}
        case CrmFields(target, fields):
            said |= {"target": target, "fields": [_field(each, fill) for each in fields]}
        case SlackMessage(text=text):
            said |= {"text": fill(text)}
        case Email(to=to, subject=subject, text=text):
            said |= {"to": list(to), "subject": fill(subject), "text": fill(text)}
        case Webhook():
            raise AssertionError("a webhook's body is `rescore.automations.crossing_body`")
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _field(field: SetField, fill: Callable[[str], str]) -> dict[str, Any]:
    only_from = None if field.only_from is None else list(field.only_from)
    return {
        "property": field.property,
        "value": fill(field.value),
        "only_from": only_from,
        "if_empty": field.if_empty,
    }
