"""The exceptions of Airflow."""


class AirflowFailException(Exception):
    """Fails a task, whatever retries are left."""
