"""Bad files: what automations do, when they may, and for whom only once."""

from tests.rules.bad_files.writing import action, policy, top


def task(fields: str, *says: str):
    return action(f"[{{crm_task: {{target: crm, {fields}}}}}]", *says)


def fields(text: str, *says: str):
    return action(f"[{{crm_fields: {{target: crm, set: {text}}}}}]", *says)


def slack(text: str, *says: str):
    return action(f"[{{slack: {{connection: c, text: {text}}}}}]", *says)


def email(fields: str, *says: str):
    return action(f"[{{email: {{connection: c, {fields}}}}}]", *says)


ACTIONS = [
    action(
        "[{webhook: {connection: c}, slack: ¶{connection: c, text: hi}}]",
        "`slack` is a second action; begin another item",
    ),
    action("[{¶sms: {to: '1'}}]", "unknown key `sms`"),
    action("[{¶crm_field: {}}]", "`crm_field` is not a key; write `crm_fields"),
    action(
        "[{slack: {connection: c, text: hi}}, ¶{slack: {connection: c, text: hi}}]", "already in the list"
    ),
    action("[{crm_task: ¶{title: Call}}]", "`target` is missing"),
    task("title: Call, due: ¶2", "`due` has no unit; write `due: 2d`"),
    task("title: Call, due: ¶2h", "`due` cannot be `2h`; write whole days"),
    task("title: Call, owner: ¶'Anna Smith'", "`owner` is not of the form"),
    task("title: Call, skip_if_open: ¶sometimes", "`skip_if_open` must be true or false"),
    task("title: ¶''", "`title` is empty"),
    task(f"title: ¶{'x' * 201}", "`title` is longer than 200 characters"),
    task('title: ¶"Call\\nnow"', "`title` takes one line"),
    task("title: ¶'Call {first_name}'", "`first_name` is nothing that a message may say"),
    task("title: ¶'Call {naem}'", "`naem` is nothing that a message may say"),
    task("title: ¶'Call {socre}'", "did you mean `score`?"),
    task("title: ¶'{score.__class__}'", "`score.__class__` is nothing that a message may say"),
    task("title: ¶'{score:>9}'", "`score:>9` is nothing that a message may say"),
    task("title: ¶'{score!r}'", "`score!r` is nothing that a message may say"),
    task("title: ¶'{}'", "`` is nothing that a message may say"),
    task("title: ¶'a { b'", "a `{` or `}` stands alone"),
    task("title: ¶'{{score}}'", "a `{` or `}` stands alone"),
    task("title: ¶'{%if score%} x'", "is nothing that a message may say"),
    slack("¶[hi]", "`text` must be text, not a list"),
    slack(f"¶{'x' * 3001}", "`text` is longer than 3000 characters"),
    slack("¶'{email} is hot'", "`email` is nothing that a message may say"),
    action("[{slack: {connection: c, text: hi, ¶channel: '#sales'}}]", "belongs to the Slack Connection"),
    action(
        "[{slack: {connection: ¶'https://hooks.slack.com', text: hi}}]", "`connection` is not of the form"
    ),
    fields("¶{}", "`set` is empty"),
    fields("{lifecyclestage: ¶opportunity}", "`lifecyclestage` must be a map"),
    fields(
        "{lifecyclestage: ¶{value: opportunity}}", "must never be set back; name the values it may replace"
    ),
    fields("{hs_lead_status: ¶{value: OPEN, if_empty: true}}", "must never be set back; name the values"),
    fields("{lead_phase: ¶{value: hot}}", "must never be set back"),
    fields("{mql_date: ¶{value: '{as_of}'}}", "only its first is kept; write `if_empty: true`"),
    fields("{mqldate: ¶{value: '2026-01-01'}}", "only its first is kept; write `if_empty: true`"),
    fields("{first_hot: ¶{value: '2026-01-01T08:00:00Z'}}", "only its first is kept; write `if_empty: true`"),
    fields("{date_of_mql: ¶{value: '{score}'}}", "only its first is kept; write `if_empty: true`"),
    fields("{first_hot: ¶{value: '{as_of}'}}", "only its first is kept; write `if_empty: true`"),
    fields("{became_mql_at: ¶{value: 2026-11-01}}", "only its first is kept"),
    fields("{stage: {value: mql, only_from: ¶[]}}", "`only_from` is empty"),
    fields("{stage: {value: mql, only_from: ¶[mql, lead]}}", "written over itself; take `mql` out"),
    fields("{stage: {value: mql, only_from: ¶[lead, lead]}}", "lists `lead` twice; keep one"),
    fields("{hot: {value: ¶[a]}}", "`value` takes a text, a number or a flag, not a list"),
    fields("{hot: {value: ¶''}}", "`value` takes 1 to 200 characters"),
    fields("{hot: {value: ¶'{name}'}}", "`name` is nothing that a message may say"),
    fields("{hot: ¶{if_empty: true}}", "`value` is missing"),
    fields("{¶'my hot': {value: a}}", "no key here can be `my hot`; write its internal name"),
    fields("{hot: {value: a, ¶onlyfrom: [b]}}", "did you mean `only_from`?"),
    email("to: [¶sales], subject: s, text: t", "`sales` is not a plain e-mail address"),
    email("to: [¶'Sales <sales@example.com>'], subject: s, text: t", "is not a plain e-mail address"),
    email(
        "to: [a@example.com, ¶A@example.com], subject: s, text: t", "`A@example.com` is already in the list"
    ),
    email("to: ¶[], subject: s, text: t", "`to` is empty"),
    email("to: ¶sales@example.com, subject: s, text: t", "`to` must be a list"),
    email('to: [a@example.com], subject: ¶"s\\r\\nBcc: x@y.com", text: t', "`subject` takes one line"),
    email("to: [a@example.com], subject: s, text: t, ¶bcc: [b@example.com]", "goes to colleagues"),
    policy("deliver: ¶{}", "`deliver` is empty; write a key such as `expires: 48h`"),
    policy("deliver: {hours: ¶'18:00-08:00'}", "`18:00-08:00` ends before it begins"),
    policy("deliver: {hours: ¶'09:00-09:00'}", "ends before it begins"),
    policy("deliver: {hours: ¶'9-17'}", "`hours` takes two times of day, not `9-17`"),
    policy("deliver: {hours: ¶'08:00-25:00'}", "`hours` takes two times of day"),
    policy("deliver: {hours: ¶[8, 18]}", "`hours` takes two times of day, not a list"),
    policy("deliver: {days: ¶[]}", "`days` is empty"),
    policy("deliver: {days: [mon, ¶monday]}", "cannot be `monday`; write `mon`, `tue`"),
    policy("deliver: {days: ¶[mon, mon]}", "a day stands twice in `days`"),
    policy("deliver: {hours: '08:00-18:00', timezone: ¶Berlin}", "there is no time zone `Berlin`"),
    policy("deliver: {expires: 2d, timezone: ¶UTC}", "`timezone` has no hours or days to be about"),
    policy("deliver: {expires: ¶48}", "`expires` has no unit; write `expires: 48h`"),
    policy("deliver: {expires: ¶90m}", "`expires` takes hours or days, not `90m`"),
    policy("deliver: {expires: ¶0h}", "`expires` is 0 hours; write 1 to"),
    policy("deliver: {still_true: ¶maybe}", "`still_true` must be true or false"),
    policy("deliver: {¶stil_true: true}", "did you mean `still_true`?"),
    policy("once_per: ¶company", "`key` cannot be `company`; write `account` or `email_domain`"),
    policy("once_per: ¶{within: 30d}", "`key` is missing"),
    policy("once_per: {key: account, within: ¶30}", "`within` has no unit; write `within: 30d`"),
    policy(
        "once_per: {key: email_domain, unless_in: ¶free_mail}", "there is no list `free_mail`; declare it"
    ),
    policy("once_per: ¶[account]", "`once_per` must be a map, not a list"),
    top("¶once_per: account", "`once_per` is a policy of an automation"),
    top("¶deliver: {expires: 2d}", "`deliver` is a policy of an automation"),
]
