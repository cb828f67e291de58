"""Backup and restore of InfluxDB 3 clusters that prove themselves."""
from ._native import *  # noqa
