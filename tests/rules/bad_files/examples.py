"""Bad files: worked examples."""

from tests.rules.bad_files.writing import example, top

EXAMPLES = [
    example(
        "colleagues: ¶[{activities: []}], expect: {score: 0}",
        "`colleagues` are leads of the same account; write one into `lead`, such as `account: acme`",
    ),
    top("examples: ¶{}", "`examples` must be a list, not a map"),
    top("examples:\n  - ¶{as_of: 2026-11-01, expect: {score: 1}}", "example number 1: `name` is missing"),
    top("examples:\n  - ¶{name: n, expect: {score: 1}}", "`as_of` is missing"),
    top("examples:\n  - ¶{name: n, as_of: 2026-11-01}", "`expect` is missing"),
    top(
        "examples:\n  - {name: n, as_of: ¶yesterday, expect: {score: 1}}",
        "`as_of` cannot be `yesterday`; write `2026-11-01`",
    ),
    top("examples:\n  - {name: n, as_of: ¶2026-13-01, expect: {score: 1}}", "`as_of` cannot be `2026-13-01`"),
    top(
        "examples:\n  - {name: n, as_of: ¶2026, expect: {score: 1}}",
        "`as_of` must be text, not the number 2026",
    ),
    top("examples:\n  - {name: n, as_of: ¶0001-01-01, expect: {score: 1}}", "`as_of` cannot be"),
    example("expect: ¶{}", "`expect` needs at least one number"),
    example("expect: {score: ¶1.5}", "`score` is a whole number of points, not the number 1.5; round it"),
    example("expect: {score: ¶'1'}", "`score` is a whole number of points, not `1`"),
    example("expect: {fit: ¶true}", "`fit` is a whole number of points, not `true`"),
    example("expect: {band: ¶C}", "there is no band `C`"),
    example("expect: {fine: ¶0.0001}", "at most three decimals"),
    example("expect: {¶fin: 1}", "`fin` is no rule or dimension; did you mean `fine`?"),
    example("expect: {score: 1}, lead: ¶[a]", "`lead` must be a map of attributes, not a list"),
    example("expect: {score: 1}, lead: {a: ¶[b]}", "`a` takes one value, not a list"),
    example("expect: {score: 1}, activities: ¶{}", "`activities` must be a list, not a map"),
    example("expect: {score: 1}, activities: [¶{type: a}]", "`at` is missing"),
    example("expect: {score: 1}, activities: [¶{at: 2026-10-01}]", "`type` is missing"),
    example("expect: {score: 1}, activities: [¶page_view]", "an activity is a map, not `page_view`"),
    example("expect: {score: 1}, activities: [{type: a, at: ¶noon}]", "`at` cannot be `noon`"),
    example("expect: {score: 1}, activities: [{type: ¶1, at: 2026-10-01}]", "`type` must be text"),
    example(
        "expect: {score: 1}, activities: [{type: a, at: 2026-10-01, value: ¶x}]", "`value` must be a number"
    ),
    example("expect: {score: 1}, activities: [{type: a, at: 2026-10-01, asset: ¶1}]", "`asset` must be text"),
    example(
        "expect: {score: 1}, activities: [{type: a, at: 2026-10-01, lead_id: ¶'1'}]",
        "is made up for examples",
    ),
    example("expect: {score: 1}, ¶expects: {score: 1}", "did you mean `expect`?"),
]
