"""The files of the deployment that the scripted life is about: a mapping, a scorecard and a policy."""

MAPPING = """\
mapping: hubspot
connector: hubspot
mode: live
group: rescore
account_details: /a
leads:
  {search: /s, read: /r, update: /u, properties: /p, groups: /g, modified: m, attributes: {}}
activities: {}
scores:
  b2b_saas: {mode: live, score: score, band: band, changed_at: changed_at, rules_version: rules_version}
tasks:
  {create: /t, read: /tr, of_contacts: /tc, properties: /tp, groups: /tg, delivery: d, automation: a}
"""

RULES = """\
scorecard: b2b_saas
timezone: Europe/Berlin
score: {floor: 0, ceiling: 500}
dimensions: {engagement: {floor: 0}, fit: {}}
rules:
  - {id: pricing_page, dimension: engagement, activity: page_view, points: 10}
  - {id: director, dimension: fit, lead: {job_title: {has_word: director}}, points: 20}
  - {id: opted_out, dimension: fit, lead: {email_opt_out: {is: true}}, points: -40}
bands: {A: 50, B: 20, C: 0}
automations:
  - id: mql
    fire_when: {score: {at_least: 50}}
    ready_again_when: {score: {below: 30}}
    do:
      - {webhook: {connection: sales_alerts}}
      - {crm_task: {target: hubspot, title: "Call {lead_id}", due: 2d, skip_if_open: false}}
  - id: heard
    fire_when: {score: {at_least: 40}}
    ready_again_when: {score: {below: 10}}
    do:
      - email: {connection: mail, to: [sales@house.example], subject: "News of {lead_id}", text: "{score}"}
"""

POLICY = """\
band_moves: {leads: %d, share: 1%%}
extract: {rows: 100, share: 50%%}
crossings: {leads: 25, times_usual_day: 3}
holds: {expire_after: 24h, growth: 10%%}
internal_domains: [house.example]
"""
