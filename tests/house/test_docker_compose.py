"""The production shape: what `docker compose` would start, in which order, and what it would refuse."""

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "docker-compose.yaml").read_text()
Duration = Annotated[str, Field(pattern=r"^(\d+(h|m|s|ms))+$")]
Port = Annotated[str, Field(pattern=r"^127\.0\.0\.1:\d+:\d+$")]


class Strict(BaseModel):
    """A part of the Compose specification, as far as this file may use it."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Health(Strict):
    test: list[str] = Field(min_length=2)
    interval: Duration
    timeout: Duration
    retries: int = Field(gt=0)
    start_period: Duration


class Dependency(Strict):
    condition: Literal["service_healthy", "service_completed_successfully"]


class EnvironmentFile(Strict):
    path: str
    required: bool


class ConfigMount(Strict):
    source: str
    target: str


class Service(Strict):
    image: Annotated[str, Field(pattern=r"^[a-z-]+:\d+\.\d+(\.\d+)?$")]
    build: str | None = None
    restart: str | None = None
    init: bool = False
    profiles: list[str] = []
    entrypoint: list[str] | None = None
    command: str | list[str] | None = None
    environment: dict[str, str] = {}
    env_file: list[EnvironmentFile] = []
    volumes: list[str] = []
    configs: list[ConfigMount] = []
    ports: list[Port] = []
    depends_on: dict[str, Dependency] = {}
    stop_grace_period: Duration | None = None
    healthcheck: Health | None = None


class Config(Strict):
    content: str


class Compose(BaseModel):
    """The file; only `x-` keys may be there besides."""

    model_config = ConfigDict(extra="allow")
    name: str
    services: dict[str, Service]
    configs: dict[str, Config]
    volumes: dict[str, None]


@pytest.fixture(scope="module")
def compose() -> Compose:
    found = Compose.model_validate(YAML(typ="safe", pure=True).load(TEXT))
    assert all(key.startswith("x-") for key in found.model_extra or {})
    return found


def test_every_part_of_the_production_shape_is_there(compose):
    assert set(compose.services) == {
        *("postgres", "redis", "airflow-init", "sandbox-crm"),
        *("api-server", "scheduler", "dag-processor", "triggerer", "worker"),
    }
    assert set(compose.volumes) == {"postgres", "lake", "reports", "logs"}


def test_every_service_that_stays_up_has_a_health_check(compose):
    staying = {name for name in compose.services if name != "airflow-init"}
    assert {name for name in staying if compose.services[name].healthcheck is None} == set()


def test_only_the_sandbox_waits_for_a_profile(compose):
    assert {name: s.profiles for name, s in compose.services.items() if s.profiles} == {
        "sandbox-crm": ["sandbox"]
    }


def test_airflow_starts_after_healthy_databases_and_finished_migrations(compose):
    for name in ("api-server", "scheduler", "dag-processor", "triggerer", "worker"):
        assert {other: d.condition for other, d in compose.services[name].depends_on.items()} == {
            "postgres": "service_healthy",
            "redis": "service_healthy",
            "airflow-init": "service_completed_successfully",
        }
    assert set(compose.services["airflow-init"].depends_on) == {"postgres"}


def test_a_service_is_only_waited_for_in_a_way_it_can_fulfil(compose):
    for name, service in compose.services.items():
        for other, dependency in service.depends_on.items():
            target = compose.services[other]
            assert not target.profiles, f"{name} would wait for {other}, which a profile may leave out"
            if dependency.condition == "service_healthy":
                assert target.healthcheck, f"{name} waits for {other} to be healthy; give it a health check"
            else:
                assert not (target.restart or "").startswith(("always", "unless")), (
                    f"{other} would never complete"
                )


def test_everybody_who_scores_sees_the_same_lake_rules_and_ledger(compose):
    airflow = [s for s in compose.services.values() if "AIRFLOW__CORE__EXECUTOR" in s.environment]
    assert len(airflow) == 6
    for service in airflow:
        assert service.environment["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
        assert service.environment["PYTHONPATH"] == "/opt/airflow/include:/opt/airflow/plugins"
        assert service.environment["RESCORE_LEDGER_URL"].endswith("@postgres/rescore")
        assert f"lake:{service.environment['RESCORE_LAKE_ROOT']}" in service.volumes
        assert f"reports:{service.environment['RESCORE_REPORTS_DIR']}" in service.volumes
        assert "./include/rules:/opt/airflow/include/rules:ro" in service.volumes


def test_every_named_volume_and_config_is_declared(compose):
    for service in compose.services.values():
        named = {volume.split(":")[0] for volume in service.volumes if not volume.startswith((".", "/"))}
        assert named <= set(compose.volumes)
        assert {config.source for config in service.configs} <= set(compose.configs)


def test_every_folder_mounted_from_the_project_exists(compose):
    for service in compose.services.values():
        for volume in service.volumes:
            if volume.startswith("."):
                assert (PROJECT / volume.split(":")[0]).is_dir(), volume


def test_the_ledger_has_a_database_of_its_own_and_only_migrations_own_its_tables(compose):
    """What the script's roles may do is tried in tests/security/test_control_14_runtime_role.py."""
    assert compose.configs["create_ledger"].content.startswith("#!/bin/sh\n")
    users = {
        name: re.match(r"postgresql://(\w+):", service.environment["RESCORE_LEDGER_URL"])[1]
        for name, service in compose.services.items()
        if "RESCORE_LEDGER_URL" in service.environment
    }
    assert users.pop("airflow-init") == "rescore"
    assert set(users.values()) == {"rescore_run"}
    target = compose.services["postgres"].configs[0].target
    assert target.startswith("/docker-entrypoint-initdb.d/")


def test_the_image_is_pinned_to_the_locked_airflow():
    locked = re.search(r"^apache-airflow==([\d.]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert f"\nFROM apache/airflow:{locked[1]}-python3.12\n" in dockerfile
    assert "--require-hashes -r" in dockerfile
    assert f"image: rescore-airflow:{locked[1]}" in TEXT


MAY_BE_EMPTY = {"SANDBOX_CRM_TOKEN", "RESCORE_ALLOWED_HOSTS"}


def required_variables() -> dict[str, str]:
    """Name -> sentence of every `${NAME:?sentence}` that compose itself would resolve."""
    return dict(re.findall(r"(?<!\$)\$\{(\w+):\?([^}]+)\}", TEXT))


def test_no_secret_has_a_default_and_each_missing_one_is_named_in_a_sentence():
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    required = required_variables()
    assert used - set(required) == MAY_BE_EMPTY, "only what has a default of its own may be empty"
    for name, sentence in required.items():
        assert sentence == f"{name} is missing; copy .env.example to .env and fill it in"
    assert set(re.findall(r"\$\{\w+:-([^}]*)\}", TEXT)) == {""}, "a default of a secret is a committed secret"


def test_the_example_lists_every_variable_and_fills_in_none():
    lines = [line for line in (PROJECT / ".env.example").read_text().splitlines() if line and line[0] != "#"]
    assert all(line.endswith("=") for line in lines), "the example must not hold a value somebody would keep"
    assert {line[:-1] for line in lines} == {*required_variables(), *MAY_BE_EMPTY}


@pytest.mark.parametrize("secret", [".env", "connections.env"])
def test_files_with_secrets_are_not_committed(secret):
    assert secret in (PROJECT / ".gitignore").read_text().split()
    assert not re.search(rf"^!{re.escape(secret)}$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)


def test_a_variable_of_the_containers_shell_is_not_taken_by_compose():
    """A single dollar inside a command would be replaced on the host, by nothing."""
    for line in TEXT.splitlines():
        for name in ("HOSTNAME", "POSTGRES_USER"):
            assert not re.search(rf"(?<!\$)\$\{{?{name}", line), line
