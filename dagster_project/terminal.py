"""Tables that `mission` shows in the terminal.

Belongs here: which numbers a table shows and how a number is written. Does not belong here:
commands (`cli`), computing anything: every number comes from the warehouse or a trial read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from dagster_project.errors import MissionError
from dagster_project.settings import Source
from dagster_project.sources.read import EntityCheck
from dagster_project.sources.streams import ENTITIES, INLINE_STREAMS

_HEADLINES = """
    select
        metric_id, period_grain, period_start, period_end, value, unit, ci_low, ci_high, n,
        coverage, status, status_reason
    from main.mart_scorecard
    where department_id = 'ALL' and objective_id = 'ALL' and not contains(metric_id, '.')
    qualify row_number() over (
        partition by metric_id
        order by
            case period_grain when 'trailing_12m' then 1 when 'quarter' then 2 else 3 end,
            period_start desc
    ) = 1
    order by metric_id
"""
_STYLES = {"published": "green", "degraded": "yellow", "withheld": "red"}

#: What the absence of an optional entity costs.
_COST = {
    ("jira", "changelogs"): "no status history: no cycle times, no effort from assignments",
    ("jira", "worklogs"): "no logged hours: effort rests on assignments, no utilisation",
    ("jira", "comments"): "helpers who only comment stay invisible",
    ("jira", "users"): "people are matched by what issues tell about them",
    ("jira", "statuses"): "phases rest on seeds/jira_status_map.csv alone",
    ("jira", "versions"): "releases are seen in the status only",
    ("crm", "accounts"): "surveys and deals cannot be joined to segments",
    ("crm", "deals"): "no won revenue: innovation_index lacks its component V",
    ("crm", "deal_stage_history"): "the close date stands in for the stage history",
    ("crm", "line_items"): "revenue cannot be split by product: no component V",
    ("crm", "products"): "new products cannot be told from old ones: no component V",
    ("crm", "surveys"): "no customer satisfaction",
    ("hr", "departments"): "departments have ids but no names, parents or functions",
    ("hr", "leave"): "capacity is not reduced by absence",
    ("hr", "engagement_responses"): "no employee engagement",
}


def headline_table(database: Path) -> Table:
    """The newest company-wide value of each headline metric, the longest period first.

    `database` is a published file, or the warehouse while nobody writes to it.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(_HEADLINES).fetchall()
    # Made to fit into 80 columns.
    table = Table(
        title="Mission metrics, company-wide",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("metric", min_width=12)
    table.add_column("period", no_wrap=True)
    for header in ("value", "95 % interval", "n", "coverage"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("status", min_width=9)
    for metric, grain, start, end, value, unit, low, high, n, coverage, state, reason in rows:
        table.add_row(
            str(metric).replace("_", " "),
            _period(grain, start, end),
            number(value, unit),
            _interval(low, high, unit),
            "-" if n is None else f"{n:,.0f}",
            number(coverage, "share"),
            f"[{_STYLES.get(state, 'default')}]{state}[/]"
            + (f": {escape(reason)}" if reason else ""),
        )
    return table


def _period(grain: str, start: date, end: date) -> str:
    last = end - timedelta(days=1)
    if grain == "trailing_12m":
        return f"12 m to {last:%Y-%m}"
    if grain == "quarter":
        return f"{start:%Y} Q{(start.month + 2) // 3}"
    return f"{start:%Y-%m}"


def number(value: float | None, unit: str) -> str:
    """A value with its unit: shares as per cent, indices bare, `-` where it is undefined."""
    if value is None:
        return "-"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "days":
        return f"{value:,.0f} d"
    return f"{value:,.1f}" if unit.startswith(("index", "score")) else f"{value:,.1f} {unit}"


def _interval(low: float | None, high: float | None, unit: str) -> str:
    """Both ends, the unit once."""
    if low is None or high is None:
        return "-"
    first = number(low, unit).removesuffix("%").removesuffix(" d")
    return f"{first} – {number(high, unit)}"


def source_table(source: Source, checks: Sequence[EntityCheck]) -> Table:
    """One row an entity of the source's system, declared or not, and what its absence costs."""
    table = Table(title=f"{source.id} ({source.system}, {source.folder})", title_justify="left")
    table.add_column("entity")
    for header in ("files", "records", "refused"):
        table.add_column(header, justify="right")
    table.add_column("missing, and what that costs")
    by_name = {check.entity: check for check in checks}
    inline = INLINE_STREAMS if "issues" in by_name else ()
    for entity in dict.fromkeys([*ENTITIES[source.system], *inline]):
        check = by_name.get(entity)
        cost = _COST.get((source.system, entity), "")
        if check:
            missing = f"no record has {', '.join(check.absent)}" if check.absent else ""
            notes = [*check.refusals, missing]
            row = (f"{check.files}", f"{check.accepted:,}", f"{check.refused:,}")
            table.add_row(entity, *row, escape("\n".join(note for note in notes if note)))
        elif entity not in inline:
            table.add_row(f"[dim]{entity}[/]", "-", "-", "-", f"not declared: {cost}")
    return table


def problem_table(source: Source, problem: MissionError) -> Table:
    """Why a source cannot be read."""
    table = Table(title=f"{source.id} ({source.system}, {source.folder})", title_justify="left")
    table.add_column("cannot be read", style="red")
    table.add_column("remedy")
    table.add_row(escape(problem.message), escape(problem.remedy))
    return table
