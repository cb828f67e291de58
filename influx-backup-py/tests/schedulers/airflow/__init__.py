"""As much of Airflow 3 as `airflow_task.py` needs: tasks run where they are called, and failures are tried again at once."""
