"""What `mission` shows in the terminal: tables, and how far a refresh is.

Belongs here: which numbers a table shows and how a number is written; bars and lines of progress.
Does not belong here: commands (`cli`), computing anything: every number comes from the warehouse or
a trial read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dagster_project.errors import MissionError
from dagster_project.settings import Source
from dagster_project.sources.pulls import Seen
from dagster_project.sources.read import EntityCheck
from dagster_project.sources.streams import ENTITIES, INLINE_STREAMS

#: Called with stage, parts done and parts in all.
OnProgress = Callable[[str, int, int], None]

_STAGES = ("prepare", "ingest", "transform", "audit", "publish")

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


def headline_names(warehouse: Path) -> list[str]:
    """The metrics without a parent, as governed; none where the warehouse cannot tell."""
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            rows = connection.execute(
                "select distinct metric_id from seeds.metric_definitions "
                "where not contains(metric_id, '.') order by metric_id"
            ).fetchall()
    except duckdb.Error:
        return []
    return [str(metric) for (metric,) in rows]


def headline_table(database: Path, expected: Sequence[str] = ()) -> Group:
    """The newest company-wide value of each headline metric, the longest period first.

    `database` is a published file, or the warehouse while nobody writes to it. A metric of
    `expected` without a row is shown all the same. Reasons stand below the table, one line each.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = {str(row[0]): row[1:] for row in connection.execute(_HEADLINES).fetchall()}
    # Made to fit into 80 columns.
    table = Table(
        title="Mission metrics, company-wide",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=0,
    )
    table.add_column("metric", min_width=12)
    table.add_column("period", no_wrap=True)
    for header in ("value", "95 % interval", "n", "coverage"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    notes = []
    for metric in sorted({*rows, *expected}):
        name = metric.replace("_", " ")
        if metric not in rows:
            table.add_row(name, *"------")
            notes.append(f"{name}: no row: mart_scorecard has no company-wide value of it")
            continue
        grain, start, end, value, unit, low, high, n, coverage, state, reason = rows[metric]
        table.add_row(
            name,
            _period(grain, start, end),
            number(value, unit),
            _interval(low, high, unit),
            "-" if n is None else f"{n:,.0f}",
            number(coverage, "share"),
            f"[{_STYLES.get(state, 'default')}]{state}[/]",
        )
        if reason:
            notes.append(f"{name}: {str(reason).strip()}")
    return Group(table, *(escape(note) for note in notes))


def blocking_failures(warehouse: Path, run_id: str) -> list[str]:
    """The blocking checks of a run that failed, each with its table and what was observed."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select check_id, asset, observed from meta.quality_result "
            "where run_id = ? and severity = 'block' and not passed order by check_id",
            [run_id],
        ).fetchall()
    return [f"{check_id} on {asset}: {observed}" for check_id, asset, observed in rows]


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
    table = Table(title=_title(source), title_justify="left")
    table.add_column("entity", no_wrap=True)
    for header in ("files", "records", "refused"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("missing, and what that costs", overflow="fold")
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


def seen_table(source: Source, seen: Sequence[Seen]) -> Table:
    """One row for each thing that a live source's credentials were tried on."""
    table = Table(title=_title(source), title_justify="left")
    table.add_column("what", no_wrap=True)
    table.add_column("visible", justify="right", no_wrap=True)
    table.add_column("missing, and who can grant it", overflow="fold")
    for found in seen:
        count = "-" if found.count is None else f"{found.count:,}"
        table.add_row(escape(found.what), count, escape(found.lacks or ""))
    return table


def problem_table(source: Source, problem: MissionError) -> Table:
    """Why a refresh would stop at a source."""
    table = Table(title=_title(source), title_justify="left")
    # Folded, not cut: paths and keys are longer than a column, and the remedy must be read whole.
    table.add_column("stops a refresh", style="red", overflow="fold")
    table.add_column("remedy", overflow="fold")
    table.add_row(escape(problem.message), escape(problem.remedy))
    return table


def _title(source: Source) -> str:
    where = source.folder if source.kind == "files" else source.base_url
    return escape(f"{source.id} ({source.system}, {where})")


@contextmanager
def progress_shown(console: Console, *, unwanted: str | None = None) -> Iterator[OnProgress]:
    """Show how far a refresh is: bars on a terminal, else plain lines for logs.

    Starts with the stage `prepare`, which has no parts. `unwanted` is a stage that was not asked
    for: it is begun, but has nothing to do.
    """
    shown = _bars if console.is_terminal else _lines
    with shown(console, unwanted) as on_progress:
        yield on_progress


@contextmanager
def _bars(console: Console, unwanted: str | None) -> Iterator[OnProgress]:
    with Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        tasks = {
            stage: progress.add_task(
                f"{stage} (not asked for)" if stage == unwanted else stage, total=None, start=False
            )
            for stage in _STAGES
        }
        progress.start_task(tasks["prepare"])

        def on_progress(stage: str, done: int, total: int) -> None:
            progress.update(tasks["prepare"], total=1, completed=1)
            progress.start_task(tasks[stage])
            progress.update(tasks[stage], completed=done, total=total)

        yield on_progress


@contextmanager
def _lines(console: Console, unwanted: str | None) -> Iterator[OnProgress]:
    stage, parts, begun = "prepare", (0, 0), time.monotonic()

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    def end(how: str) -> None:
        done, total = parts
        counted = f"{total}" if done == total else f"{done} of {total}"
        share = f", {counted} parts" if total else ""
        say(f"{stage}: {how}{share}, {time.monotonic() - begun:.1f} s")

    def on_progress(now: str, done: int, total: int) -> None:
        nonlocal stage, parts, begun
        if now != stage:
            end("done")
            stage, begun = now, time.monotonic()
            say(f"{now}: not asked for" if now == unwanted else f"{now}: started, {total} parts")
        parts = (done, total)

    say("prepare: started")
    try:
        yield on_progress
    except BaseException:
        end("failed")
        raise
    if stage != unwanted:
        end("done")
