"""Bad files: entries of the quarantine."""

from tests.rules.bad_files.writing import BadFile, top


def entry(fields: str, *says: str) -> BadFile:
    return top(f"quarantine:\n  - {{id: x, activity: click, {fields}}}", *says)


def burst(fields: str, *says: str) -> BadFile:
    return entry(f"burst: {{{fields}}}", *says)


QUARANTINE = [
    top("quarantine: ¶{id: x}", "`quarantine` must be a list"),
    top("quarantine:\n  - ¶{id: x, activity: click}", "quarantine entry `x`: this takes every such activity"),
    top("quarantine:\n  - ¶{id: x, where: {a: {is: true}}}", "quarantine entry `x`: `activity` is missing"),
    top("quarantine:\n  - {id: ¶X, activity: a, where: {a: {is: true}}}", "`X` cannot be an id"),
    top(
        "quarantine:\n  - {id: x, activity: a, where: {a: {is: true}}}\n"
        "  - {id: ¶x, activity: b, where: {a: {is: true}}}",
        "`x` is already the id of an entry above; give this one another",
    ),
    entry("¶points: 3", "what is in quarantine gives no points; take `points` out"),
    entry("¶scope: account", "the quarantine looks at each lead by itself"),
    entry("¶count: 3", "`count` belongs under `burst`"),
    entry("where: {a: {is: true}}, ¶within: 3s", "`within` belongs under `burst` or `soon_after`"),
    entry("where: {a: {¶equal: 1}}", "`a` cannot be compared by `equal`; did you mean `equals`?"),
    burst("count: ¶1, within: 10s", "`count` is the number 1; write 2 or more"),
    entry("burst: ¶{within: 10s, distinct: asset}", "`count` is missing"),
    burst("count: 2, within: ¶10", "`within` has no unit; write `within: 10s`"),
    burst("count: 2, within: ¶2d", "`within` cannot be `2d`; write whole seconds, minutes or hours"),
    burst("count: 2, within: ¶0s", "`within` is 0s; write `1s` to `24h`"),
    burst("count: 2, within: ¶25h", "`within` is 25h; write `1s` to `24h`"),
    burst("count: 2, within: ¶1.5s", "`within` cannot be `1.5s`"),
    burst("count: 2, within: ¶[10s]", "`within` cannot be a list"),
    entry(
        "burst: {count: 2, within: 10s}, soon_after: ¶{activity: sent, within: 5s}",
        "`burst` and `soon_after` cannot go together; make two entries of them",
    ),
    entry("soon_after: {activity: ¶[sent, click], within: 5s}", "each `click` would be soon after itself"),
    entry("soon_after: {activity: sent, within: 5s, ¶count: 2}", "unknown key `count`"),
]
