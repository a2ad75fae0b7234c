"""Bad files: rules of the five shapes, their limits and their decay."""

from tests.rules.bad_files.writing import lead, rule, visit, whole_rule

RULES = [
    whole_rule("¶{dimension: fit, activity: a, points: 1}", "rule number 2: `id` is missing; add it"),
    whole_rule("¶{id: x, activity: a, points: 1}", "rule `x`: `dimension` is missing"),
    whole_rule("¶{id: x, dimension: fit, points: 1}", "rule `x`: `activity` is missing"),
    whole_rule("¶{id: x, dimension: fit, activity: a}", "rule `x`: `points` is missing"),
    whole_rule("{id: ¶X, dimension: fit, activity: a, points: 1}", "`X` cannot be an id"),
    whole_rule("{id: ¶1st, dimension: fit, activity: a, points: 1}", "`1st` cannot be an id"),
    whole_rule("{id: ¶page-view, dimension: fit, activity: a, points: 1}", "`page-view` cannot be an id"),
    whole_rule(
        "{id: ¶lead_id, dimension: fit, activity: a, points: 1}",
        "`lead_id` is a reserved word; choose another",
    ),
    whole_rule("{id: ¶band, dimension: fit, activity: a, points: 1}", "`band` is a reserved word"),
    whole_rule(
        f"{{id: ¶{'a' * 61}, dimension: fit, activity: a, points: 1}}", "an id has at most 60 characters"
    ),
    whole_rule(
        "{id: ¶fine, dimension: fit, activity: a, points: 1}", "`fine` is already the id of a rule above"
    ),
    whole_rule(
        "{id: ¶fit, dimension: fit, activity: a, points: 1}", "`fit` is already the id of a dimension"
    ),
    whole_rule(
        "{id: x, dimension: ¶engagment, activity: a, points: 1}",
        "no dimension `engagment`; did you mean `engagement`?",
    ),
    whole_rule("{id: x, dimension: ¶other, activity: a, points: 1}", "write one of `engagement`, `fit`"),
    whole_rule(
        "{id: x, dimension: ¶3, activity: a, points: 1}", "`dimension` must be text, not the number 3"
    ),
    whole_rule("{id: x, label: ¶'', dimension: fit, activity: a, points: 1}", "`label` is empty"),
    whole_rule("{id: x, label: ¶7, dimension: fit, activity: a, points: 1}", "`label` must be text"),
    whole_rule(
        f"{{id: x, label: ¶{'a' * 121}, dimension: fit, activity: a, points: 1}}",
        "`label` is longer than 120",
    ),
    visit("¶dimensoin: fit", "rule `x`: unknown key `dimensoin`; did you mean `dimension`?"),
    visit("¶limits: {count: 3}", "did you mean `limit`?"),
    visit("scope: ¶company", "`scope` cannot be `company`"),
    lead("{a: {exists: true}}, ¶scope: account", "`scope` goes with rules about activities; take it out"),
    visit(
        "frequency: {distinct: ¶lead, count: 3, within: 30d}",
        "`distinct: lead` counts the people of an account; write `scope: account` beside it",
    ),
    visit("¶restart: true", "unknown key `restart`"),
    visit("¶half_life: 14d", "`half_life` belongs under `decay`; write `decay: {half_life: 14d}`"),
    visit("¶expires: 14d", "`expires` belongs under `decay`"),
    visit("¶within: 14d", "`within` belongs under `frequency`"),
    visit("¶count: 3", "`count` belongs under `limit`"),
    visit("¶where: ", "`where` has no value; write one, or take the key out"),
    rule(
        "points: 1, activity: ¶3",
        "an activity type is a text, not the number 3; write one such as `page_view`",
    ),
    rule("points: 1, activity: ¶[]", "`activity` is empty; write at least one"),
    rule("points: 1, activity: ¶''", "an activity type is a text, not ``"),
    rule("points: 1, activity: [a, ¶a]", "`a` is listed twice"),
    rule("points: 1, activity: [a, ¶3]", "an activity type is a text, not the number 3"),
    rule("activity: a, points: ¶'5'", "`points` takes points, not `5`; write it without quotes"),
    rule("activity: a, points: ¶five", "`points` takes points, not `five`"),
    rule("activity: a, points: ¶true", "`points` takes points, not `true`"),
    rule("activity: a, points: ¶[5]", "`points` takes points, not a list"),
    rule("activity: a, points: ¶0.0005", "`points` is 0.0005; points have at most three decimals"),
    rule("activity: a, points: ¶100001", "`points` is 100001; write at most 100000"),
    rule("activity: a, points: ¶-1e6", "write at most 100000"),
    rule("activity: a, points: ¶.inf", "`.inf` is not a number to count with"),
    rule("activity: a, points: ¶010", "`010` can be read as two different numbers"),
    rule("activity: a, points: ¶0x10", "`0x10` can be read as two different numbers"),
    rule(
        "activity: a, points: 1, frequency: {days: 3, within: ¶7}",
        "rule `x`: `within` has no unit; write `within: 7d`",
    ),
    rule(
        "activity: a, points: 1, frequency: {days: 3, within: ¶'7'}",
        "`within` has no unit; write `within: 7d`",
    ),
    rule(
        "activity: a, points: 1, frequency: {days: 3, within: ¶7h}",
        "`within` cannot be `7h`; write whole days or weeks",
    ),
    rule("activity: a, points: 1, frequency: {days: 3, within: ¶1.5d}", "`within` cannot be `1.5d`"),
    rule("activity: a, points: 1, frequency: {days: 3, within: ¶0d}", "`within` is 0 days; write 1 to 3660"),
    rule("activity: a, points: 1, frequency: {days: 3, within: ¶9999d}", "`within` is 9999 days"),
    rule("activity: a, points: 1, frequency: ¶{days: 3}", "`within` is missing"),
    rule("activity: a, points: 1, frequency: ¶{within: 7d}", "`frequency` needs either `count` or `days`"),
    rule(
        "activity: a, points: 1, frequency: ¶{count: 2, days: 2, within: 7d}",
        "needs either `count` or `days`",
    ),
    rule(
        "activity: a, points: 1, frequency: {distinct: ¶asset, days: 2, within: 7d}",
        "`distinct` goes with `count`",
    ),
    rule(
        "activity: a, points: 1, frequency: ¶{distinct: asset, within: 7d}", "needs either `count` or `days`"
    ),
    rule(
        "activity: a, points: 1, frequency: {days: ¶8, within: 7d}",
        "`days` is 8, more than `within` has; write at most 7",
    ),
    rule(
        "activity: a, points: 1, frequency: {count: ¶0, within: 7d}",
        "`count` is the number 0; write 1 or more",
    ),
    rule("activity: a, points: 1, frequency: {count: ¶2.5, within: 7d}", "`count` must be a whole number"),
    rule(
        "activity: a, points: 1, frequency: {count: ¶'2', within: 7d}",
        "`count` must be a whole number, not `2`",
    ),
    rule("activity: a, points: 1, frequency: {count: 2, ¶withn: 7d, within: 7d}", "did you mean `within`?"),
    rule("activity: a, points: 1, frequency: ¶3", "`frequency` must be a map, not the number 3"),
    rule(
        "activity: a, points: 1, frequency: {count: 2, within: 7d}, ¶limit: {count: 1}",
        "`limit` goes with rules of",
    ),
    rule(
        "activity: a, points: 1, frequency: {count: 2, within: 7d}, ¶decay: {linear: 7d}",
        "`decay` goes with rules of",
    ),
    rule("activity: a, points: 1, none_within: 7d, ¶limit: {count: 1}", "`limit` goes with rules of"),
    rule("activity: a, points: 1, none_within: ¶60", "`none_within` has no unit; write `none_within: 60d`"),
    rule("points: 1, lead: {a: {exists: true}}, ¶activity: b", "`activity` and `lead` cannot go together"),
    rule("points: 1, lead: {a: {exists: true}}, ¶where: {b: {exists: true}}", "`where` is for activities"),
    rule("points: 1, lead: {a: {exists: true}}, ¶decay: {linear: 9d}", "`decay` goes with rules of"),
    whole_rule(
        "¶{id: x, dimension: fit, activity: a, points: 1, none_within: 7d, frequency: {within: 7d}}",
        "only one of",
    ),
    rule(
        "¶frist_of: [{when: {a: {is: ¶1}}, points: 1}]",
        "did you mean `first_of`?",
        "`is` takes true or false",
    ),
    rule("¶none_withn: ¶7, activity: a, points: 1", "did you mean `none_within`?", "has no unit"),
    rule("activity: a, points: 1, ¶frequncy: {count: 2, within: 7d}", "did you mean `frequency`?"),
    rule("first_of: ¶[]", "`first_of` is empty; write at least 1"),
    rule(
        "¶points: 5, first_of: [{when: {a: {exists: true}}, points: 1}]", "`points` belongs into each entry"
    ),
    rule("first_of: [¶{when: {a: {exists: true}}}]", "`points` is missing"),
    rule("first_of: [¶{points: 3}]", "`when` is missing"),
    rule("first_of: [{when: {a: {exists: true}}, points: 1, ¶lable: a}]", "did you mean `label`?"),
    rule("first_of: ¶{when: {a: {exists: true}}}", "`first_of` must be a list, not a map"),
]


LIMITS_AND_DECAY = [
    visit("limit: ¶{}", "`limit` is empty; write `{count: 6}`"),
    visit("limit: ¶6", "`limit` must be a map, not the number 6"),
    visit("limit: {first: ¶true, count: 3}", "`first` and `count` cannot go together; keep one"),
    visit("limit: {first: ¶false}", "`first` cannot be `false`; write true"),
    visit("limit: {per: ¶day}", "`per: day` needs `count`"),
    visit("limit: {per: ¶day, points: 5}", "`per: day` needs `count`"),
    visit("limit: {count: 3, per: ¶week}", "`per` cannot be `week`; write `day`"),
    visit("limit: {count: ¶0}", "`count` is the number 0; write 1 or more"),
    visit("limit: {count: ¶-3}", "write 1 or more"),
    visit("limit: {count: ¶3.5}", "`count` must be a whole number"),
    visit("limit: {count: ¶true}", "`count` must be a whole number, not `true`"),
    visit("limit: {points: ¶0}", "`points` is 0; write a number above 0"),
    visit("limit: {points: ¶-5}", "`points` is -5; write a number above 0"),
    visit("limit: {¶per_day: 3}", "write `{count: 3, per: day}`"),
    visit("limit: {¶cont: 3}", "did you mean `count`?"),
    visit("decay: ¶{}", "`decay` is empty"),
    visit("decay: ¶14d", "`decay` must be a map, not `14d`"),
    visit("decay: {half_life: ¶14}", "`half_life` has no unit; write `half_life: 14d`"),
    visit("decay: {half_life: ¶14 d}", "`half_life` cannot be `14 d`"),
    visit("decay: {half_life: ¶-14d}", "`half_life` cannot be `-14d`"),
    visit("decay: {half_life: ¶0w}", "`half_life` is 0 days"),
    visit("decay: {half_life: ¶1m}", "`half_life` cannot be `1m`; write whole days or weeks"),
    visit("decay: {half_life: ¶true}", "`half_life` takes a duration, not `true`"),
    visit("decay: {half_life: 14d, linear: ¶20d}", "`half_life` and `linear` cannot go together"),
    visit(
        "decay: {linear: 20d, steps: ¶[{after: 3d, keep: 0.5}]}", "`linear` and `steps` cannot go together"
    ),
    visit("decay: {steps: ¶[]}", "`steps` is empty"),
    visit("decay: {steps: [¶{after: 3d}]}", "`keep` is missing"),
    visit(
        "decay: {steps: [{after: 3d, keep: ¶half}]}",
        "`keep` takes a number from 0 to 1, not `half`; write `0.5` or",
    ),
    visit("decay: {steps: [{after: 3d, keep: ¶50}]}", "`keep` takes a number from 0 to 1, not the number 50"),
    visit(
        "decay: {steps: [{after: 3d, keep: 0.5}, {after: ¶3d, keep: 0.2}]}",
        "`after` must grow from step to step",
    ),
    visit("decay: {steps: [{after: 9d, keep: 0.5}, {after: ¶3d, keep: 0.2}]}", "`after` must grow"),
    visit("decay: {expires: ¶never}", "`expires` cannot be `never`"),
    visit("decay: {¶halflife: 14d}", "did you mean `half_life`?"),
]
