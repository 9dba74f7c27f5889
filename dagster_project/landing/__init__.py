"""Files become windows of the lake, and the lake becomes the raw schemas of the warehouse.

Belongs here: the page journal, windows and their manifests, quarantine, the raw views, the
writer's lock. Does not belong here: what a record of Jira, CRM or HR looks like (see `sources`),
orchestration (see `defs`), any modelling (see `models/`).
"""

from dagster_project.landing.ingest import ingest_system
from dagster_project.landing.lock import writer_lock
from dagster_project.landing.raw import Build, freeze_build
from dagster_project.landing.results import StreamResult

__all__ = ["Build", "StreamResult", "freeze_build", "ingest_system", "writer_lock"]
