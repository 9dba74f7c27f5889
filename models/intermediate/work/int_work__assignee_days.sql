with

    issues as (select * from {{ ref("int_jira__issues") }}),

    status_spans as (select * from {{ ref("int_jira__status_spans") }} where phase = 'in_progress'),

    assignee_spans as (
        select *
        from {{ ref("int_jira__field_spans") }}
        where field = 'assignee' and value_id is not null
    ),

    account_people as (select * from {{ ref("int_people__account_people") }}),

    days as (select * from {{ ref("int_calendar__days") }} where is_working),

    assignments as (select * from {{ ref("int_people__assignments") }}),

    leave_days as (select * from {{ ref("int_people__leave_days") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    parents as (
        select distinct source_id, parent_issue_id from issues where parent_issue_id is not null
    ),

    -- An issue with children is worked on through them; counting it too would count the work twice.
    leaves as (
        select issues.source_id, issues.issue_id
        from issues
        left join
            parents
            on parents.source_id = issues.source_id
            and parents.parent_issue_id = issues.issue_id
        where parents.parent_issue_id is null
    ),

    pieces as (
        select
            leaves.source_id,
            leaves.issue_id,
            account_people.person_key,
            account_people.calendar_location_id,
            account_people.hired_on,
            account_people.terminated_on,
            greatest(status_spans.entered_at, assignee_spans.entered_at) as from_at,
            least(
                coalesce(status_spans.exited_at, build.as_of),
                coalesce(assignee_spans.exited_at, build.as_of)
            ) as to_at
        from leaves
        cross join build
        inner join
            status_spans
            on status_spans.source_id = leaves.source_id
            and status_spans.issue_id = leaves.issue_id
        inner join
            assignee_spans
            on assignee_spans.source_id = leaves.source_id
            and assignee_spans.issue_id = leaves.issue_id
            and assignee_spans.entered_at < coalesce(status_spans.exited_at, build.as_of)
            and coalesce(assignee_spans.exited_at, build.as_of) > status_spans.entered_at
        inner join
            account_people
            on account_people.source_id = assignee_spans.source_id
            and account_people.source_user_id = assignee_spans.value_id
    ),

    final as (
        select
            pieces.source_id,
            pieces.issue_id,
            pieces.person_key,
            days.work_date,
            sum(
                {{
                    seconds_between(
                        "greatest(pieces.from_at, days.starts_at)",
                        "least(pieces.to_at, days.ends_at)",
                    )
                }}
            ) as overlap_seconds
        from pieces
        inner join
            days
            on days.location_id = pieces.calendar_location_id
            and days.ends_at > pieces.from_at
            and days.starts_at < pieces.to_at
        left join
            leave_days
            on leave_days.person_key = pieces.person_key
            and leave_days.leave_date = days.work_date
        where
            pieces.from_at < pieces.to_at
            and leave_days.person_key is null
            and (pieces.hired_on is null or days.work_date >= pieces.hired_on)
            -- Issues stay assigned to whoever left. A post after the last day is a return, whose
            -- record still carries the old date.
            and (
                pieces.terminated_on is null
                or days.work_date <= pieces.terminated_on
                or exists (
                    select 1
                    from assignments
                    where
                        assignments.person_key = pieces.person_key
                        and assignments.from_date <= days.work_date
                        and (assignments.to_date is null or assignments.to_date > days.work_date)
                )
            )
        group by pieces.source_id, pieces.issue_id, pieces.person_key, days.work_date
    )

select *
from final
