"""The ledger's tables, as SQLAlchemy Core: what was decided, by which version, and what is still owed.

Times are aware UTC. Texts that hold JSON say so; no table holds attribute values of a lead.
A lead is its canonical key, `source:lead_id` (`rescore.model.lead_key`).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from rescore.ledger.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# ── rules ────────────────────────────────────────────────────────────────────────────────────────────

rules_version = Table(
    "rules_version",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("lists", Text),  # JSON, path -> text: the list files that the body names, as read with it
    # draft · rejected · held · discarded · active · retired · shadow
    Column("status", String, nullable=False),
    Column("error", Text),  # why a body was rejected: one line a problem
    Column("scoring", String(64)),  # the fingerprint's three parts; null when rejected
    Column("thresholds", String(64)),
    Column("wording", String(64)),
    Column("path", String, nullable=False),
    Column("seen", Integer, nullable=False),  # the highest of a path is what the file said last
    Column("registered_at", UtcDateTime, nullable=False),
    Column("registered_by", String, nullable=False),
    Column("told_at", UtcDateTime),  # when people were told that it is rejected
    UniqueConstraint("scorecard", "sha256"),
    comment="every body ever seen, exactly as read; a rejected one is remembered by its hash",
)

activation = Table(
    "activation",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("activation_seq", Integer, primary_key=True),
    Column("version_seq", Integer, nullable=False),
    Column("wakes", String, nullable=False),  # scoring · thresholds · wording: the strongest part that moved
    Column("plan_hash", String(64)),  # the plan that its rescore applies; null: nothing to compare with
    Column("hold_id", String),  # the hold whose release put it in force; null: nobody had to be asked
    Column("activated_at", UtcDateTime, nullable=False),
    Column("activated_by", String, nullable=False),
    Column("rescored_at", UtcDateTime),  # null while its rescore is owed
    Column("attempt", Integer, nullable=False, default=0),  # rescores asked for so far
    Column("attempted_at", UtcDateTime),
    Column("told_at", UtcDateTime),  # when people were told that its rescore is done
    ForeignKeyConstraint(["scorecard", "version_seq"], ["rules_version.scorecard", "rules_version.seq"]),
    comment="puts one version in force",
)

control = Table(
    "control",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("activation_seq", Integer),  # the one in force
    Column("paused", Boolean, nullable=False, default=False),
    Column("paused_by", String),
    Column("paused_at", UtcDateTime),
    Column("paused_reason", Text),  # null when a person paused it
    Column("first_load_done", Boolean, nullable=False, default=False),  # nothing fires before
    Column("full_pass_date", Date),  # local date of the last pass over everybody
    comment="one row a scorecard: what is in force",
)

plan = Table(
    "plan",
    metadata,
    Column("plan_hash", String(64), primary_key=True),
    Column("scorecard", String, nullable=False),
    Column("old_version", Integer, nullable=False),
    Column("new_version", Integer, nullable=False),
    Column("activation_seq", Integer, nullable=False),  # in force when it was made
    Column("as_of", UtcDateTime, nullable=False),
    Column("input_ver", BigInteger, nullable=False),
    Column("snapshot", Text, nullable=False),  # JSON: the versions of the lake's tables
    Column("summary", Text, nullable=False),  # JSON: counts and verdict, no lead data
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String, nullable=False),
    comment="what putting a version in force would do; the report and the results are files",
)

hold = Table(
    "hold",
    metadata,
    Column("hold_id", String, primary_key=True),
    Column("scorecard", String, nullable=False),
    Column("what", String, nullable=False),  # rules · stage · automation
    Column("version_seq", Integer),  # of a held rules change
    Column("plan_hash", String(64)),
    Column("run_key", String),  # of a held stage, or of the run whose crossings are held
    Column("automation", String),
    Column("summary", Text, nullable=False),  # JSON: why, in sentences, and counts; no lead data
    Column("state", String, nullable=False),  # open · released · silenced · discarded · expired · superseded
    Column("opened_at", UtcDateTime, nullable=False),
    Column("opened_by", String, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("asked_at", UtcDateTime),  # when a review was started
    Column("told_at", UtcDateTime),  # when people were told
    Column("decided_at", UtcDateTime),
    Column("decided_by", String),
    Index(None, "scorecard", "state"),
    comment="what waits for a person: a rules change, a run's stage, or one automation's crossings",
)

automation = Table(
    "automation",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("automation", String, primary_key=True),
    Column("born", Integer, nullable=False),  # activation_seq of its (latest) appearance
    Column("removed", Integer),  # activation_seq that took it away
    comment="which automations exist since which activation",
)

# ── facts arriving ───────────────────────────────────────────────────────────────────────────────────

counter = Table(
    "counter",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
    comment="input_ver: bumped under its row lock by every landing, so numbers are in commit order",
)

stream = Table(
    "stream",
    metadata,
    Column("source", String, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("cursor", Text),  # the connector's own JSON
    Column("landing", BigInteger, nullable=False, default=0),  # last landing number given out
    Column("committed", BigInteger, nullable=False, default=0),  # last landing whose leads are marked
    Column("fence", BigInteger, nullable=False, default=0),
    Column("read_at", UtcDateTime),  # when it was last read to its end; null while its history is loading
    Column("rows", BigInteger, nullable=False, default=0),  # landed since then
    comment="how far each source stream has been read, and who may write it",
)

extract = Table(
    "extract",
    metadata,
    Column("source", String, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("until", UtcDateTime, primary_key=True),  # it brought what was new up to this moment
    Column("since", UtcDateTime),  # the until of the one before; null: the whole history
    Column("rows", BigInteger, nullable=False),  # as read, repetitions included
    comment="how much each extract brought: what a later one can be expected to bring",
)

dirty = Table(
    "dirty",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("input_ver", BigInteger, nullable=False),
    Column("facts_until", UtcDateTime),  # latest occurred_at of its new facts: no earlier run covers it
    comment="leads whose score may have changed",
)

# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────

run = Table(
    "run",
    metadata,
    Column("run_key", String, primary_key=True),  # {Airflow run id or other}/{scorecard}
    Column("scorecard", String, nullable=False),
    Column("kind", String, nullable=False),  # incremental · initial · daily · rescore · thresholds
    Column("activation_seq", Integer, nullable=False),  # pinned
    Column("plan_hash", String(64)),  # pinned: the plan whose results this run applies
    Column("as_of", UtcDateTime, nullable=False),
    Column("input_ver", BigInteger, nullable=False),
    Column("fence", Integer, nullable=False, default=1),
    # scoring · staged · held · promoting · promoted · discarded · superseded
    Column("state", String, nullable=False),
    Column("promoted_to", String),  # last lead of the last promoted chunk
    Column("counts", Text, nullable=False, default="{}"),  # JSON, name -> whole number
    Column("seen", Text),  # JSON, table of the lake -> number of its last append that was scored
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index(None, "scorecard", "started_at"),
    comment="one scoring run of one scorecard",
)

stage_score = Table(
    "stage_score",
    metadata,
    Column("run_key", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("score", Integer),  # whole points; null outside the audience
    Column("band", String),
    Column("dimensions", Text, nullable=False),  # JSON, dimension -> whole points or null
    Column("reasons", Text, nullable=False),  # JSON, top three of {rule, label, points}
    Column("changed", Boolean, nullable=False),  # differs from the committed row
    Column("grade", String),
    Column("restarted_at", UtcDateTime),  # the newest restart; null when there is none
    Column("withheld", String),  # why it has no score whatever the rules say: deleted · objection
    Column("flags", Text),  # JSON, names of the lead conditions that hold: `mql unless`, `mql already_fired`
    Column("causes", Text),  # JSON, cause -> whole points, of changed leads
    Column("old_score", Integer),  # the committed score that `causes` begin at
    Column(
        "under_old_rules", Text
    ),  # JSON {score, band, dimensions} at the same moment, of a planned rescore
    comment="a run's results that nobody acts on yet",
)

shadow = Table(
    "shadow",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("version_seq", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("started_by", String, nullable=False),
    ForeignKeyConstraint(["scorecard", "version_seq"], ["rules_version.scorecard", "rules_version.seq"]),
    comment="a version that scores every run beside the one in force and writes nothing",
)

shadow_run = Table(
    "shadow_run",
    metadata,
    Column("run_key", String, primary_key=True),
    Column("scorecard", String, nullable=False),
    Column("version_seq", Integer, nullable=False),
    Column("activation_seq", Integer, nullable=False),  # what it was compared with
    Column("as_of", UtcDateTime, nullable=False),
    Column("everybody", Boolean, nullable=False),
    Column("leads", Integer),  # how many results there are in the lake; null: it failed
    Column("failure", Text),
    Index(None, "scorecard", "as_of"),
    comment="the runs that a shadow version scored; the results are files of the lake",
)

score = Table(
    "score",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("score", Integer),
    Column("band", String),
    Column("dimensions", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("activation_seq", Integer, nullable=False),  # the guard: these three never go back
    Column("as_of", UtcDateTime, nullable=False),
    Column("input_ver", BigInteger, nullable=False),
    Column("ver", BigInteger, nullable=False),  # one more at every change; 0 until the first score
    Column("changed_at", UtcDateTime, nullable=False),  # as_of of the last change
    Column("grade", String),
    Column("restarted_at", UtcDateTime),
    Column("withheld", String),  # why it has no score: deleted · objection · merged (away, into another lead)
    comment="the state of record",
)

delta = Table(
    "delta",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("ver", BigInteger, primary_key=True),
    Column("run_key", String, nullable=False),
    Column("activation_seq", Integer, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("old_score", Integer),
    Column("new_score", Integer),
    Column("old_band", String),
    Column("new_band", String),
    Column("causes", Text),  # JSON, cause -> whole points; they sum to the change of the score
    Index(None, "run_key"),
    comment="every committed change of a score",
)

# ── what is owed to the world ────────────────────────────────────────────────────────────────────────

sync = Table(
    "sync",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("target", String, primary_key=True),
    Column("want_ver", BigInteger, nullable=False),  # score.ver that the target should show
    Column("acked_ver", BigInteger, nullable=False, default=0),  # score.ver that it confirmed
    # due · settled · parked · shadow · small (below minimum_change) · overridden · deleted
    Column("state", String, nullable=False),
    Column("priority", Integer, nullable=False, default=2),  # 1 band change or crossing · 2 score · 3 drift
    Column("tries", Integer, nullable=False, default=0),
    Column("next_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    Column("lease_by", String),
    Column("failure", String),  # outcome class of the last failure
    Column("reason", Text),  # of the last failure
    Column("shown_score", Integer),  # what it confirmed last
    Column("shown_band", String),
    Column("shown_hash", String(16)),  # of every figure it confirmed last; null when nobody knows
    Column("acked_at", UtcDateTime),
    Index(None, "target", "state", "priority", "lead"),
    comment="level-triggered: what each target should show of each lead",
)

arming = Table(
    "arming",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("automation", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("state", String, nullable=False),  # armed · fired · held
    Column("n", Integer, nullable=False),  # arming number, from 1
    Column("since", UtcDateTime, nullable=False),  # as_of of the last transition
    comment="edge-triggered: where each automation stands with each lead; no row is armed number 1",
)

crossing = Table(
    "crossing",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("automation", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("n", Integer, primary_key=True),  # arming number
    Column("run_key", String, nullable=False),
    Column("activation_seq", Integer, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("old_score", Integer),
    Column("new_score", Integer),
    Column("old_band", String),
    Column("new_band", String),
    Column("by_rules", Boolean, nullable=False),  # only a rules change caused it
    Column("outcome", String, nullable=False),  # fired · suppressed · held
    Column("reason", String),  # why it is suppressed or held
    Column("hold_id", String),
    Column("once_key", String),  # what `once_per` keeps apart: a hash of the account or the e-mail's domain
    Index(None, "run_key"),
    Index(None, "scorecard", "automation", "as_of"),
    Index(None, "hold_id"),
    Index(None, "once_key", "scorecard", "automation"),
    comment="every crossing and what became of it",
)

delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", String(36), primary_key=True),  # uuid5 of automation, lead, n, action
    Column("scorecard", String, nullable=False),
    Column("automation", String, nullable=False),
    Column("lead", String, nullable=False),
    Column("n", Integer, nullable=False),
    Column("action", Integer, nullable=False),  # position in the automation's `do`
    # webhook · crm_task · crm_fields · slack · email
    Column("kind", String, nullable=False, default="webhook"),
    Column("connection", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # frozen: the bytes that are sent and signed
    Column("run_key", String, nullable=False),
    Column("activation_seq", Integer, nullable=False),
    # due · delivered · parked (a dead letter) · expired · cancelled · discarded
    Column("state", String, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),  # not sent from then on
    Column("next_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    Column("lease_by", String),
    Column("settled_at", UtcDateTime),
    Column("failure", String),  # outcome class of the last failure
    Column("reason", Text),
    Column("remote_id", String),  # what the receiver calls what we made there
    UniqueConstraint("scorecard", "automation", "lead", "n", "action"),
    Index(None, "state", "next_at"),
    Index(None, "run_key"),
    comment="one delivery per automation, lead, arming and action",
)

attempt = Table(
    "attempt",
    metadata,
    Column("attempt_id", Integer, primary_key=True, autoincrement=True),
    Column("delivery_id", String(36), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    # unknown until we hear, then the outcome's kind; again: a person lets it be sent anew
    Column("outcome", String, nullable=False),
    Column("detail", Text),
    Index(None, "delivery_id"),
    comment="written before the call, completed after it",
)

breaker = Table(
    "breaker",
    metadata,
    Column("connection", String, primary_key=True),
    Column("failures", Integer, nullable=False, default=0),  # in a row
    Column("open_until", UtcDateTime),  # nobody calls before; null: closed
    Column("failure", String),  # outcome class that opened it
    Column("reason", Text),
    Column("opened_at", UtcDateTime),
    comment="who is left alone, by all workers",
)

budget = Table(
    "budget",
    metadata,
    Column("connection", String, primary_key=True),
    Column("allowance", String, primary_key=True),  # calls · searches · day
    Column("began_at", UtcDateTime, nullable=False),  # of the window that is counted
    Column("used", Integer, nullable=False),  # by all workers together
    Column("seen_used", Integer),  # by everybody, as the vendor counts
    Column("ceiling", Integer),  # as the vendor says
    comment="calls that all workers share",
)

override = Table(
    "override",
    metadata,
    Column("target", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("property", String, primary_key=True),
    Column("seen_at", UtcDateTime, primary_key=True),
    Column("scorecard", String, nullable=False),
    Column("value", String),  # of a score property, never of another
    Column("state", String, nullable=False),  # open · ended; at most one of a property is open
    Column("owner", String, nullable=False),  # as the CRM names who wrote it
    Column("reason", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String),
    Index(None, "state", "expires_at"),
    comment="what a person wrote into the CRM over a score of ours, and how long it stays",
)

# ── the installation, and who is no longer in it ─────────────────────────────────────────────────────

installation = Table(
    "installation",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
    comment="facts about this ledger itself: the salt of its tombstones, whether it was restored",
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("hash", String(64), primary_key=True),  # salted; of a lead key or an e-mail address
    Column("erased_at", UtcDateTime, nullable=False),
    Column("erased_by", String, nullable=False),
    comment="who was erased and must not come back",
)

erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", String(36), primary_key=True),
    Column("leads", Text),  # JSON, lead keys and e-mail addresses of the person; null once no row has them
    Column("state", String, nullable=False),  # asked · begun · swept · done
    Column("asked_at", UtcDateTime, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("counts", Text, nullable=False, default="{}"),  # JSON, what was removed from where
    comment="erasures under way and done",
)
