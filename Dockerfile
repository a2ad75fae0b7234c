# The image of every Airflow service: Airflow as released, plus the locked requirements and this project.
FROM apache/airflow:3.3.2-python3.12

# The lock is ours, hashes and all; `pip check` says if it and the base image ever disagree.
COPY --chown=airflow:root requirements.txt /opt/airflow/requirements.txt
RUN pip install --no-cache-dir --require-hashes -r /opt/airflow/requirements.txt && pip check

# A volume takes over the owner of the folder it is mounted on.
RUN mkdir -p /opt/airflow/lake /opt/airflow/reports

COPY --chown=airflow:root include /opt/airflow/include
COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root dags /opt/airflow/dags

# Airflow puts dags/ and plugins/ on sys.path by itself; include/ and every process outside Airflow need this.
ENV PYTHONPATH=/opt/airflow/include:/opt/airflow/plugins \
    RESCORE_PROJECT=/opt/airflow \
    RESCORE_LAKE_ROOT=/opt/airflow/lake \
    RESCORE_REPORTS_DIR=/opt/airflow/reports
RUN printf '#!/bin/sh\nexec python -m rescore.cli.main "$@"\n' > /home/airflow/.local/bin/rescore \
    && chmod +x /home/airflow/.local/bin/rescore
