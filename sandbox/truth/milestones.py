"""When initiatives and ideas reached what, and what they had promised by when.

What belongs here: milestones and due dates. What does not: how it was decided (`decisions`).
"""

from __future__ import annotations

from sandbox.truth.definitions import BEGUN, FINAL, OPEN, REOPENING_WINDOW_DAYS
from sandbox.truth.seen import Seen, listed


def build(seen: Seen) -> None:
    """Make truth.milestone and truth.due_date."""
    _milestones(seen)
    _due_dates(seen)


def _milestones(seen: Seen) -> None:
    """truth.milestone: one row per issue of type Initiative or Idea that still exists."""
    seen.run(f"""
        create table truth.milestone as
        with
            spans as (
                select
                    phase_span.issue_id, phase, from_at, to_at,
                    lag(phase) over (
                        partition by phase_span.issue_id order by span_number
                    ) as phase_before
                from truth.phase_span
                inner join truth.issue on issue.issue_id = phase_span.issue_id
                where issue.issue_type in ('Initiative', 'Idea') and not issue.is_deleted
            ),
            releases as (
                select
                    issue_id, from_at as released_at,
                    -- A release that is taken back soon was none.
                    exists (
                        select 1 from spans as later
                        where later.issue_id = spans.issue_id and later.from_at > spans.from_at
                            and later.phase in {listed(OPEN)}
                            and later.from_at < spans.from_at + to_days({REOPENING_WINDOW_DAYS})
                    ) as is_void
                from spans
                where phase = 'released' and phase_before is distinct from 'released'
            ),
            available as (
                select
                    issue_id, min(released_at) as first_available_at,
                    min(released_at) filter (where not is_void) as available_at,
                    bool_or(is_void) as is_taken_back
                from releases group by issue_id
            ),
            reached as (
                select
                    issue_id,
                    max(phase) filter (where to_at is null) as phase,
                    min(from_at) filter (where phase = 'idea') as idea_at,
                    min(from_at) filter (where phase in {listed(BEGUN)}) as approved_at,
                    min(from_at) filter (where phase = 'in_progress') as started_at,
                    max(to_at) filter (where phase in {listed(OPEN)}) as last_open_until,
                    max(from_at) filter (
                        where phase = 'cancelled' and phase_before is distinct from 'cancelled'
                    ) as last_cancelled_at
                from spans group by issue_id
            )
        select
            issue.issue_id, issue.issue_key, issue.issue_type, issue.created_at, reached.phase,
            case
                when reached.approved_at is null or reached.idea_at < reached.approved_at
                then reached.idea_at
            end as idea_at,
            reached.approved_at, reached.started_at,
            case when reached.phase in {listed(FINAL)} then last_open_until end as done_at,
            available.first_available_at, available.available_at,
            coalesce(is_taken_back, false) as is_taken_back,
            case
                when available.available_at is not null then null
                when reached.phase = 'cancelled' then last_cancelled_at
                -- Given up in a status that does not say so.
                when reached.phase = 'done' and initiative.cancelled_at < {seen.instant}
                then last_open_until
            end as cancelled_at
        from reached
        inner join truth.issue on issue.issue_id = reached.issue_id
        left join available on available.issue_id = reached.issue_id
        left join hidden.initiative on initiative.issue_id = reached.issue_id;
    """)


def _due_dates(seen: Seen) -> None:
    """Make truth.due_date: the baseline at approval (or the first after it), and the latest one.

    Also how often it moved after approval. What moves after the end changes nothing.
    """
    seen.run(f"""
        create table truth.due_date as
        with
            edits as (
                select issue_id, 0 as number, created_at as since, due_date from truth.issue
                where issue_type = 'Initiative'
                union all
                select
                    issue_id,
                    row_number() over (partition by issue_id order by change_id, item_index),
                    changed_at, try_cast(to_value as date)
                from truth.change where field = 'duedate'
            ),
            -- The value of an issue that never changed is that of its creation.
            spans as (
                select
                    *,
                    lead(since) over (partition by issue_id order by number) as until,
                    lag(due_date) over (partition by issue_id order by number) as due_before
                from edits
            ),
            dated as (
                select
                    spans.*, approved_at, coalesce(available_at, cancelled_at, {seen.instant})
                        as ended_at
                from spans inner join truth.milestone using (issue_id)
            )
        select
            issue_id,
            max(due_date) filter (
                where since <= ended_at and (until is null or until > ended_at)
            ) as latest_due_date,
            arg_min(due_date, number) filter (
                where due_date is not null and (until is null or until > approved_at)
                    and until is distinct from since
            ) as original_due_date,
            count(*) filter (
                where since > approved_at and since <= ended_at and due_before is not null
                    and due_date is distinct from due_before
            ) as baseline_changes_n
        from dated group by issue_id;
    """)
