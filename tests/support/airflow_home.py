"""An Airflow of the tests' own: its settings have to stand before the first `import airflow`."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]

SETTINGS = {
    f"RESCORE_{name}"
    for name in (
        "HOME",
        "PROJECT",
        "LEDGER_URL",
        "LAKE_ROOT",
        "RULES_DIR",
        "MAPPINGS_DIR",
        "REPORTS_DIR",
        "POLICY_FILE",
    )
}


def prepare() -> Path:
    """Point this process at a new AIRFLOW_HOME, once; xdist gives every worker a process of its own."""
    home = Path(tempfile.mkdtemp(prefix="rescore-airflow-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("AIRFLOW") or name in SETTINGS]:
        del os.environ[name]
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",  # a busy machine is no broken DAG file
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
    }
    return home


HOME = prepare()
