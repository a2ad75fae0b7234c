"""`maintain` in a real Airflow: the night's work is one green task, and the next run is none the worse."""

import pytest
from sqlalchemy import insert

from rescore.ledger import tables
from tests.maintain.rows import NOW, row

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]


def test_what_is_over_goes_and_scoring_goes_on(deployment, crm):
    assert deployment.run("score_leads").state == "success"
    long_ago = NOW.replace(year=2020)
    with deployment.workspace.ledger.transaction() as connection:
        connection.execute(insert(tables.delta).values(row(tables.delta, lead="gone", as_of=long_ago)))

    run = deployment.run("maintain")

    assert run.state == "success"
    assert run.counts("maintain")["deltas"] == 1
    assert deployment.run("verify_scores").state == "success"
    assert deployment.run("score_leads").state == "success"
