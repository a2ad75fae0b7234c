"""Bad files: the scorecard itself, its zone, its range and its dimensions."""

from tests.rules.bad_files.writing import FINE, HEAD, BadFile, head, top

SHAPE = [
    BadFile("nothing but a name", "¶¶scorecard: x\n", ("`dimensions` is missing", "`rules` is missing")),
    BadFile(
        "no scorecard",
        f"¶dimensions: {{engagement: {{}}}}\nrules:\n{FINE}",
        ("`scorecard` is missing; add it",),
    ),
    head("scorecard: ¶B2B\ndimensions: {engagement: {}}", "`B2B` cannot be an id"),
    head(
        "scorecard: ¶12\ndimensions: {engagement: {}}",
        "`scorecard` must be text, not the number 12; put it in quotes",
    ),
    head("¶scorecard:\ndimensions: {engagement: {}}", "`scorecard` has no value; write one"),
    head("scorecard: x\ndimensions: ¶{}", "`dimensions` is empty; write at least 1"),
    head("scorecard: x\ndimensions: ¶[engagement]", "`dimensions` must be a map, not a list"),
    head(
        "scorecard: x\ndimensions: {engagement: ¶5}",
        "dimension `engagement`: `engagement` must be a map, not the number 5",
    ),
    head("scorecard: x\ndimensions: {engagement: {}, ¶Fit: {}}", "`Fit` cannot be an id"),
    head("scorecard: x\ndimensions: {engagement: {}, ¶score: {}}", "`score` is a reserved word"),
    head("scorecard: x\ndimensions: {engagement: {}, ¶a__b: {}}", "`a__b` cannot be an id"),
    head("scorecard: x\ndimensions: {engagement: {¶flor: 0}}", "unknown key `flor`; did you mean `floor`?"),
    head(
        "scorecard: x\ndimensions: {engagement: {floor: ¶'0'}}",
        "`floor` takes points, not `0`; write it without quotes",
    ),
    head("scorecard: x\ndimensions: {engagement: {floor: ¶9, ceiling: 1}}", "`floor` is above `ceiling`"),
    head(
        "scorecard: x\ndimensions: {engagement: {in_total: ¶no}}",
        "`in_total` must be true or false, not `no`",
    ),
    head(
        "scorecard: x\nscore: {floor: ¶9, ceiling: 1}\ndimensions: {engagement: {}}",
        "`floor` is above `ceiling`",
    ),
    head(
        "scorecard: x\nscore: ¶200\ndimensions: {engagement: {}}", "`score` must be a map, not the number 200"
    ),
    top("timezone: ¶Europe/Berln", "there is no time zone `Europe/Berln`; did you mean `Europe/Berlin`?"),
    top("timezone: ¶europe/berlin", "did you mean `Europe/Berlin`?"),
    top("timezone: ¶Mars/Olympus", "there is no time zone"),
    top("timezone: ¶Europe", "there is no time zone `Europe`"),
    top("timezone: ¶../etc/passwd", "there is no time zone"),
    top("timezone: ¶2", "`timezone` must be text, not the number 2"),
    top("description: ¶[a]", "`description` must be text, not a list"),
    top("¶rule: []", "unknown key `rule`; did you mean `rules`?"),
    top("¶xyzzy: 1", "unknown key `xyzzy`; write one of `scorecard`"),
    top("¶grades: {A: 1}", "this build cannot execute `grades` yet; take it out"),
    top("¶max_per_run: 5", "is a policy of an automation; write it below `automations`"),
    top("lists: ¶[a]", "`lists` must be a map, not a list"),
    top("lists: {a: ¶lists/a.txt}", "there is no readable file `lists/a.txt` below the rules"),
    top("lists: {a: ¶../a.txt}", "`../a.txt` cannot be the path of a list; write one below"),
    top("lists: {a: ¶/etc/a.txt}", "`/etc/a.txt` cannot be the path of a list"),
    top("lists: {a: ¶lists/.a.txt}", "`lists/.a.txt` cannot be the path of a list"),
    top("lists: {a: ¶lists/a.csv}", "`lists/a.csv` cannot be the path of a list"),
    top("lists: {a: ¶[x, y]}", "`a` must be text, not a list"),
    top("lists: {¶A-B: lists/a.txt}", "`A-B` cannot be an id"),
    top("¶restart: {}", "this build cannot execute `restart` yet"),
    top("¶minimum_change: 3", "this build cannot execute `minimum_change` yet"),
    top("¶scope: account", "this build cannot execute `scope` yet"),
    BadFile(
        "what stands under a misspelt key is checked in the same breath",
        "scorecard: x\n¶dimensoins: {engagement: {floor: ¶'0'}}\nbands: {A: 80, B: ¶80}\n¶ruels:\n"
        "  - {id: a, dimension: ¶engagment, activity: b, ¶pionts: 1}\n"
        "  - {id: ¶a, dimension: engagement, activity: b, points: ¶five}\n",
        (
            "unknown key `dimensoins`; did you mean `dimensions`?",
            "dimension `engagement`: `floor` takes points",
            "band `B` begins where `A` does",
            "unknown key `ruels`; did you mean `rules`?",
            "rule `a`: there is no dimension `engagment`; did you mean `engagement`?",
            "rule `a`: unknown key `pionts`; did you mean `points`?",
            "rule `a`: `a` is already the id of a rule above",
            "rule `a`: `points` takes points, not `five`",
        ),
    ),
    BadFile("no rules", f"{HEAD}rules: ¶[]\n", ("`rules` is empty; write at least 1",)),
    BadFile("rules is a map", f"{HEAD}rules: ¶{{a: 1}}\n", ("`rules` must be a list, not a map",)),
    BadFile("a rule is a text", f"{HEAD}rules:\n  - ¶page_view\n", ("rule number 1: ",)),
]
