"""The pages on plans: for people who are logged in, and with nothing in them that could run."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from rescore.plan.report_html import html
from rescore.plan.report_markdown import markdown
from rescore.plan.reports import write_report
from rescore_airflow.ui.plans import app, index, report
from tests.plan import plans

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow")]


def test_a_stranger_sees_no_page(deployment):
    client = TestClient(app, raise_server_exceptions=False)
    paths = [route.path for route in app.routes if isinstance(route, APIRoute)]
    assert sorted(paths) == ["/plans", "/plans/{plan_hash}", "/plans/{plan_hash}/markdown"]
    for path in paths:
        assert client.get(path.format(plan_hash="0" * 64)).status_code == 401
    assert client.get("/docs").status_code == 404
    assert any(dependency.dependency is get_user for dependency in app.router.dependencies)


@pytest.mark.parametrize("page", ["/rescore/plans", f"/rescore/plans/{'0' * 64}"])
def test_a_person_who_follows_a_link_logs_in_and_is_led_back(deployment, page):
    airflow = FastAPI()
    airflow.mount("/rescore", app)
    client = TestClient(airflow, base_url="http://airflow.example", follow_redirects=False)
    answer = client.get(page, headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 303
    login = urlsplit(answer.headers["location"])
    assert login.path == "/api/v2/auth/login"
    (back,) = parse_qs(login.query)["next"]
    assert urlsplit(back).path == page


def test_the_plans_are_listed_by_their_opening_lines_and_each_is_a_page(deployment):
    plan = plans.a_plan()
    reports = deployment.workspace.reports_dir
    write_report(reports, plan, markdown=markdown(plan), page=html(plan))
    listed = index()
    assert plan.plan_hash in listed.body.decode()
    assert f"{plan.scorecard}</b> v3 → v4, as of" in listed.body.decode()
    assert "A person has to look at this first" in listed.body.decode()
    assert report(plan.plan_hash).path == reports / plan.plan_hash / "report.html"


@pytest.fixture
def somebody() -> Iterator[TestClient]:
    """A person whom Airflow lets in."""
    asked = [dependency.dependency for dependency in app.router.dependencies]
    app.dependency_overrides |= dict.fromkeys(asked, lambda: None)
    yield TestClient(app, raise_server_exceptions=False)
    app.dependency_overrides.clear()


def test_every_answer_forbids_a_browser_to_load_run_guess_keep_or_frame_anything(deployment, somebody):
    plan = plans.a_plan()
    write_report(deployment.workspace.reports_dir, plan, markdown=markdown(plan), page=html(plan))
    pages = {"/plans": 200, f"/plans/{plan.plan_hash}": 200, f"/plans/{plan.plan_hash}/markdown": 200}
    problems = {f"/plans/{'0' * 64}": 404, "/plans/..%2f..%2fledger.db": 404, "/plans/x": 404, "/docs": 404}
    for page, status in (pages | problems).items():
        answer = somebody.get(page)
        assert answer.status_code == status, page
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_there_is_nothing_to_write_so_a_cookie_alone_can_do_no_harm(deployment, somebody):
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert {method for route in routes for method in route.methods} == {"GET"}
    for method in ("post", "put", "patch", "delete"):
        assert getattr(somebody, method)("/plans").status_code == 405


def test_a_list_without_plans_says_so(deployment):
    assert "No rules change was planned yet" in index().body.decode()
