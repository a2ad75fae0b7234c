"""Bad files: bands, automations and their actions."""

from tests.rules.bad_files.writing import action, automation, head, policy, top

THRESHOLDS = [
    head(
        "scorecard: x\ndimensions: {engagement: {}}\nbands: {A: 80, B: ¶80}", "band `B` begins where `A` does"
    ),
    head(
        "scorecard: x\nscore: {ceiling: 50}\ndimensions: {engagement: {}}\nbands: {A: ¶80}",
        "above the score's ceiling",
    ),
    head("scorecard: x\ndimensions: {engagement: {}}\nbands: {A: ¶high}", "`A` takes points, not `high`"),
    head("scorecard: x\ndimensions: {engagement: {}}\nbands: ¶[A, B]", "`bands` must be a map, not a list"),
    head(
        "scorecard: x\ndimensions: {engagement: {}}\nbands: {¶1.5: 5}",
        "the key `1.5` is not a text; write it in quotes",
    ),
    head(
        'scorecard: x\ndimensions: {engagement: {}}\nbands: {"1": 0, ¶1: 5}',
        "the key `1` is already on line 3; keep one of them",
    ),
    head("scorecard: x\ndimensions: {engagement: {}}\nbands: {¶'': 5}", "is empty"),
    automation(
        "¶ready_agian_when: ¶{}, fire_when: {score: {at_least: 1}}",
        "did you mean `ready_again_when`?",
        "is empty; write a condition",
    ),
    top(
        "automations:\n  - ¶{id: x, do: [{webhook: {connection: c}}]}",
        "automation `x`: `fire_when` is missing",
    ),
    top("automations:\n  - ¶{id: x, fire_when: {score: {at_least: 1}}}", "automation `x`: `do` is missing"),
    automation(
        "fire_when: ¶{}", "`fire_when` is empty; write a condition such as `{score: {at_least: 100}}`"
    ),
    automation("fire_when: {score: ¶100}", "`score` needs an operator"),
    automation("fire_when: {score: {at_least: ¶'100'}}", "`at_least` takes a number"),
    automation("fire_when: {score: {¶contains: a}}", "`score` cannot be compared by `contains`"),
    automation("fire_when: {score: {¶is: true}}", "`score` cannot be compared by `is`"),
    automation("fire_when: {score: {equals: ¶hot}}", "`score` is a number; compare it with one"),
    automation(
        "fire_when: {¶engagment: {below: 10}}",
        "neither `score`, `band`, `grade` nor a dimension; did you mean `engagement`?",
    ),
    automation("fire_when: {¶engagment: {¶bellow: ¶x}}", "`engagement`?", "did you mean `below`?", "not `x`"),
    automation("fire_when: {¶bnd: {equals: ¶Z}}", "did you mean `band`?", "there is no band `Z`"),
    automation("fire_when: {¶fine: {at_least: 1}}", "`fine` is neither `score`, `band`, `grade` nor"),
    automation("fire_when: {¶job_title: {equals: cto}}", "neither `score`, `band`, `grade` nor a dimension"),
    automation("fire_when: {band: {equals: ¶C}}", "there is no band `C`; write one of `A`, `B`"),
    automation("fire_when: {band: {in: ¶[A, Z]}}", "there is no band `Z`"),
    automation("fire_when: {band: {¶at_least: A}}", "`band` cannot be compared by `at_least`"),
    automation("fire_when: {any: [{score: {above: 1}}, {¶foo: {above: 1}}]}", "`foo` is neither"),
    automation(
        "fire_when: {score: {above: 1}}, ready_again_when: {score: {¶gt: 1}}", "did you mean `above`?"
    ),
    automation(
        "fire_when: {score: {above: 1}}, ¶when: {a: 1}", "`when` is not a key here; write `fire_when`"
    ),
    *(
        automation(
            f"fire_when: {{score: {{above: 1}}}}, ¶{word}: 1",
            f"this build cannot execute `{word}` yet; take it out",
        )
        for word in ("scope", "owner")
    ),
    policy("max_per_run: ¶0", "`max_per_run` is the number 0; write 1 or more"),
    policy("max_per_run: ¶'50'", "`max_per_run` must be a whole number, not `50`"),
    policy("max_per_run: ¶true", "`max_per_run` must be a whole number, not `true`"),
    policy("max_per_day: ¶2.5", "`max_per_day` must be a whole number"),
    policy("cooldown: ¶30", "`cooldown` has no unit; write `cooldown: 30d`"),
    policy("cooldown: ¶0d", "`cooldown` is 0 days; write 1 to 3660"),
    policy("max_age: ¶1h", "`max_age` cannot be `1h`; write whole days or weeks"),
    policy(
        "on_rules_change: ¶ask",
        "`on_rules_change` cannot be `ask`; write `gate`, `fire`, `hold` or `suppress`",
    ),
    policy("first_seen: ¶true", "`first_seen` cannot be `true`; write `fire` or `ignore`"),
    policy("already_past: ¶hold", "`already_past` cannot be `hold`; write `fire` or `ignore`"),
    policy("unless: ¶{}", "`unless` is empty; write a condition"),
    policy("unless: {stage: ¶customer}", "`stage` needs an operator"),
    policy("already_fired: {mql_date: {¶is_set: true}}", "`mql_date` cannot be compared by `is_set`"),
    policy("group: ¶Hot leads", "`Hot leads` cannot be an id"),
    policy("¶cool_down: 30d", "did you mean `cooldown`?"),
    action("[¶{}]", "this action says nothing; write one such as"),
    action("¶[]", "`do` is empty"),
    action("¶{webhook: {connection: c}}", "`do` must be a list, not a map"),
    action("[{webhook: ¶sales_alerts}]", "`webhook` must be a map, not `sales_alerts`"),
    action("[{webhook: {connection: ¶'a b'}}]", "`connection` is not of the form"),
    action("[{webhook: {¶url: http://example.com, connection: c}}]", "name an Airflow Connection"),
    automation(
        "¶fire_wen: {score: {at_least: ¶high}, ¶engagment: {above: 1}}",
        "did you mean `fire_when`?",
        "`at_least` takes a number, not `high`",
        "did you mean `engagement`?",
    ),
    action("[{webhook: {connection: c}}, ¶{webhook: {connection: c}}]", "already in the list"),
    top(
        "automations:\n  - {id: x, fire_when: {score: {above: 1}}, do: [{webhook: {connection: c}}]}\n"
        "  - {id: ¶x, fire_when: {score: {above: 2}}, do: [{webhook: {connection: c}}]}",
        "`x` is already the id of an automation above",
    ),
]
