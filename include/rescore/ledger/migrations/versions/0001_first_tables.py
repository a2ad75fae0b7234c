"""The ledger's first tables."""

import sqlalchemy as sa
from alembic import op

from rescore.ledger.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables here from the revision before."""
    op.create_table(
        "arming",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("automation", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scorecard", "automation", "lead", name=op.f("pk_arming")),
        comment="edge-triggered: where each automation stands with each lead; no row is armed number 1",
    )
    op.create_table(
        "attempt",
        sa.Column("attempt_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("delivery_id", sa.String(length=36), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempt")),
        comment="written before the call, completed after it",
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_delivery_id"), ["delivery_id"], unique=False)

    op.create_table(
        "automation",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("automation", sa.String(), nullable=False),
        sa.Column("born", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("scorecard", "automation", name=op.f("pk_automation")),
        comment="which automations exist since which activation",
    )
    op.create_table(
        "barred",
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("let_in_at", UtcDateTime(), nullable=True),
        sa.Column("let_in_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("lead", name=op.f("pk_barred")),
        comment="living records that a source says are one with somebody who was erased",
    )
    op.create_table(
        "breaker",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", UtcDateTime(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_breaker")),
        comment="who is left alone, by all workers",
    )
    op.create_table(
        "budget",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("allowance", sa.String(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("seen_used", sa.Integer(), nullable=True),
        sa.Column("ceiling", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "allowance", name=op.f("pk_budget")),
        comment="calls that all workers share",
    )
    op.create_table(
        "control",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("activation_seq", sa.Integer(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("paused_by", sa.String(), nullable=True),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("first_load_done", sa.Boolean(), nullable=False),
        sa.Column("full_pass_date", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("scorecard", name=op.f("pk_control")),
        comment="one row a scorecard: what is in force",
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
        comment="input_ver: bumped under its row lock by every landing, so numbers are in commit order",
    )
    op.create_table(
        "crossing",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("automation", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("run_key", sa.String(), nullable=False),
        sa.Column("activation_seq", sa.Integer(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("old_score", sa.Integer(), nullable=True),
        sa.Column("new_score", sa.Integer(), nullable=True),
        sa.Column("old_band", sa.String(), nullable=True),
        sa.Column("new_band", sa.String(), nullable=True),
        sa.Column("by_rules", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("hold_id", sa.String(), nullable=True),
        sa.Column("once_key", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("scorecard", "automation", "lead", "n", name=op.f("pk_crossing")),
        comment="every crossing and what became of it",
    )
    with op.batch_alter_table("crossing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_crossing_hold_id"), ["hold_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_crossing_once_key_scorecard_automation"),
            ["once_key", "scorecard", "automation"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_crossing_run_key"), ["run_key"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_crossing_scorecard_automation_as_of"),
            ["scorecard", "automation", "as_of"],
            unique=False,
        )

    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.String(length=36), nullable=False),
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("automation", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("action", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("run_key", sa.String(), nullable=False),
        sa.Column("activation_seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("lease_by", sa.String(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "scorecard",
            "automation",
            "lead",
            "n",
            "action",
            name=op.f("uq_delivery_scorecard_automation_lead_n_action"),
        ),
        comment="one delivery per automation, lead, arming and action",
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_run_key"), ["run_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_state_next_at"), ["state", "next_at"], unique=False)

    op.create_table(
        "delta",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("ver", sa.BigInteger(), nullable=False),
        sa.Column("run_key", sa.String(), nullable=False),
        sa.Column("activation_seq", sa.Integer(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("old_score", sa.Integer(), nullable=True),
        sa.Column("new_score", sa.Integer(), nullable=True),
        sa.Column("old_band", sa.String(), nullable=True),
        sa.Column("new_band", sa.String(), nullable=True),
        sa.Column("causes", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("scorecard", "lead", "ver", name=op.f("pk_delta")),
        comment="every committed change of a score",
    )
    with op.batch_alter_table("delta", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delta_run_key"), ["run_key"], unique=False)

    op.create_table(
        "dirty",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("input_ver", sa.BigInteger(), nullable=False),
        sa.Column("facts_until", UtcDateTime(), nullable=True),
        sa.Column("history", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("scorecard", "lead", name=op.f("pk_dirty")),
        comment="leads whose score may have changed",
    )
    op.create_table(
        "erasure",
        sa.Column("erasure_id", sa.String(length=36), nullable=False),
        sa.Column("leads", sa.Text(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasure")),
        comment="erasures under way and done",
    )
    op.create_table(
        "extract",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "stream", "until", name=op.f("pk_extract")),
        comment="how much each extract brought: what a later one can be expected to bring",
    )
    op.create_table(
        "hold",
        sa.Column("hold_id", sa.String(), nullable=False),
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("version_seq", sa.Integer(), nullable=True),
        sa.Column("plan_hash", sa.String(length=64), nullable=True),
        sa.Column("run_key", sa.String(), nullable=True),
        sa.Column("automation", sa.String(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold")),
        comment="what waits for a person: a rules change, a run's stage, or one automation's crossings",
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hold_scorecard_state"), ["scorecard", "state"], unique=False)

    op.create_table(
        "installation",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
        comment="facts about this ledger itself: the salt of its tombstones, whether it was restored",
    )
    op.create_table(
        "override",
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("property", sa.String(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("target", "lead", "property", "seen_at", name=op.f("pk_override")),
        comment="what a person wrote into the CRM over a score of ours, and how long it stays",
    )
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_override_state_expires_at"), ["state", "expires_at"], unique=False
        )

    op.create_table(
        "plan",
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("old_version", sa.Integer(), nullable=False),
        sa.Column("new_version", sa.Integer(), nullable=False),
        sa.Column("activation_seq", sa.Integer(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("input_ver", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("plan_hash", name=op.f("pk_plan")),
        comment="what putting a version in force would do; the report and the results are files",
    )
    op.create_table(
        "rules_version",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("lists", sa.Text(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("scoring", sa.String(length=64), nullable=True),
        sa.Column("thresholds", sa.String(length=64), nullable=True),
        sa.Column("wording", sa.String(length=64), nullable=True),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("registered_by", sa.String(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("scorecard", "seq", name=op.f("pk_rules_version")),
        sa.UniqueConstraint("scorecard", "sha256", name=op.f("uq_rules_version_scorecard_sha256")),
        comment="every body ever seen, exactly as read; a rejected one is remembered by its hash",
    )
    op.create_table(
        "run",
        sa.Column("run_key", sa.String(), nullable=False),
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("activation_seq", sa.Integer(), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=True),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("input_ver", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("promoted_to", sa.String(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("run_key", name=op.f("pk_run")),
        comment="one scoring run of one scorecard",
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_run_scorecard_started_at"), ["scorecard", "started_at"], unique=False
        )

    op.create_table(
        "score",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("band", sa.String(), nullable=True),
        sa.Column("dimensions", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("activation_seq", sa.Integer(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("input_ver", sa.BigInteger(), nullable=False),
        sa.Column("ver", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("grade", sa.String(), nullable=True),
        sa.Column("restarted_at", UtcDateTime(), nullable=True),
        sa.Column("withheld", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("scorecard", "lead", name=op.f("pk_score")),
        comment="the state of record",
    )
    op.create_table(
        "shadow_run",
        sa.Column("run_key", sa.String(), nullable=False),
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("version_seq", sa.Integer(), nullable=False),
        sa.Column("activation_seq", sa.Integer(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("everybody", sa.Boolean(), nullable=False),
        sa.Column("leads", sa.Integer(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_key", name=op.f("pk_shadow_run")),
        comment="the runs that a shadow version scored; the results are files of the lake",
    )
    with op.batch_alter_table("shadow_run", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_shadow_run_scorecard_as_of"), ["scorecard", "as_of"], unique=False
        )

    op.create_table(
        "stage_score",
        sa.Column("run_key", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("band", sa.String(), nullable=True),
        sa.Column("dimensions", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("grade", sa.String(), nullable=True),
        sa.Column("restarted_at", UtcDateTime(), nullable=True),
        sa.Column("withheld", sa.String(), nullable=True),
        sa.Column("flags", sa.Text(), nullable=True),
        sa.Column("causes", sa.Text(), nullable=True),
        sa.Column("old_score", sa.Integer(), nullable=True),
        sa.Column("under_old_rules", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_key", "lead", name=op.f("pk_stage_score")),
        comment="a run's results that nobody acts on yet",
    )
    op.create_table(
        "stream",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("landing", sa.BigInteger(), nullable=False),
        sa.Column("committed", sa.BigInteger(), nullable=False),
        sa.Column("unmarked_since", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "stream", name=op.f("pk_stream")),
        comment="how far each source stream has been read, and who may write it",
    )
    op.create_table(
        "sync",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("want_ver", sa.BigInteger(), nullable=False),
        sa.Column("acked_ver", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("lease_by", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("shown_score", sa.Integer(), nullable=True),
        sa.Column("shown_band", sa.String(), nullable=True),
        sa.Column("shown_hash", sa.String(length=16), nullable=True),
        sa.Column("acked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("scorecard", "lead", "target", name=op.f("pk_sync")),
        comment="level-triggered: what each target should show of each lead",
    )
    with op.batch_alter_table("sync", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sync_target_state_priority_lead"),
            ["target", "state", "priority", "lead"],
            unique=False,
        )

    op.create_table(
        "record",
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_record")),
        comment="which records of several sources are one person",
    )
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_record_lead"), ["lead"], unique=False)

    op.create_table(
        "tombstone",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("erased_at", UtcDateTime(), nullable=False),
        sa.Column("erased_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tombstone")),
        comment="who was erased and must not come back",
    )
    op.create_table(
        "activation",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("activation_seq", sa.Integer(), nullable=False),
        sa.Column("version_seq", sa.Integer(), nullable=False),
        sa.Column("wakes", sa.String(), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=True),
        sa.Column("hold_id", sa.String(), nullable=True),
        sa.Column("activated_at", UtcDateTime(), nullable=False),
        sa.Column("activated_by", sa.String(), nullable=False),
        sa.Column("rescored_at", UtcDateTime(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("attempted_at", UtcDateTime(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["scorecard", "version_seq"],
            ["rules_version.scorecard", "rules_version.seq"],
            name=op.f("fk_activation_scorecard_version_seq"),
        ),
        sa.PrimaryKeyConstraint("scorecard", "activation_seq", name=op.f("pk_activation")),
        comment="puts one version in force",
    )
    op.create_table(
        "shadow",
        sa.Column("scorecard", sa.String(), nullable=False),
        sa.Column("version_seq", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scorecard", "version_seq"],
            ["rules_version.scorecard", "rules_version.seq"],
            name=op.f("fk_shadow_scorecard_version_seq"),
        ),
        sa.PrimaryKeyConstraint("scorecard", name=op.f("pk_shadow")),
        comment="a version that scores every run beside the one in force and writes nothing",
    )


def downgrade() -> None:
    """Bring them back."""
    op.drop_table("shadow")
    op.drop_table("activation")
    op.drop_table("tombstone")
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_record_lead"))

    op.drop_table("record")
    with op.batch_alter_table("sync", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sync_target_state_priority_lead"))

    op.drop_table("sync")
    op.drop_table("stream")
    op.drop_table("stage_score")
    with op.batch_alter_table("shadow_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shadow_run_scorecard_as_of"))

    op.drop_table("shadow_run")
    op.drop_table("score")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_run_scorecard_started_at"))

    op.drop_table("run")
    op.drop_table("rules_version")
    op.drop_table("plan")
    with op.batch_alter_table("override", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_override_state_expires_at"))

    op.drop_table("override")
    op.drop_table("installation")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hold_scorecard_state"))

    op.drop_table("hold")
    op.drop_table("extract")
    op.drop_table("erasure")
    op.drop_table("dirty")
    with op.batch_alter_table("delta", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delta_run_key"))

    op.drop_table("delta")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_state_next_at"))
        batch_op.drop_index(batch_op.f("ix_delivery_run_key"))

    op.drop_table("delivery")
    with op.batch_alter_table("crossing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_crossing_scorecard_automation_as_of"))
        batch_op.drop_index(batch_op.f("ix_crossing_run_key"))
        batch_op.drop_index(batch_op.f("ix_crossing_once_key_scorecard_automation"))
        batch_op.drop_index(batch_op.f("ix_crossing_hold_id"))

    op.drop_table("crossing")
    op.drop_table("counter")
    op.drop_table("control")
    op.drop_table("budget")
    op.drop_table("breaker")
    op.drop_table("barred")
    op.drop_table("automation")
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempt_delivery_id"))

    op.drop_table("attempt")
    op.drop_table("arming")
