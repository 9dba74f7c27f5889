with

    issues as (select * from {{ ref("int_jira__issues") }} where role = 'initiative'),

    milestones as (select * from {{ ref("int_jira__issue_milestones") }}),

    due_dates as (select * from {{ ref("int_initiatives__due_dates") }}),

    outcomes as (select * from {{ ref("int_jira__issue_outcomes") }}),

    days as (select * from {{ ref("int_calendar__days") }} where location_id = '*'),

    build as (select * from {{ ref("int_mission__build") }}),

    -- "Won't Do" ends an initiative as surely as a status called Cancelled does.
    ended as (
        select
            milestones.*,
            coalesce(outcomes.is_justified, false) as is_justified,
            coalesce(
                milestones.cancelled_at,
                case
                    when
                        outcomes.outcome in ('abandoned', 'duplicate')
                        and milestones.available_at is null
                    then milestones.done_at
                end
            ) as given_up_at
        from milestones
        left join
            outcomes
            on outcomes.source_id = milestones.source_id
            and outcomes.issue_id = milestones.issue_id
    ),

    dated as (
        select
            issues.source_id || ':' || issues.issue_id as initiative_id,
            issues.source_id,
            issues.issue_id,
            ended.idea_at,
            ended.approved_at,
            ended.started_at,
            ended.done_at,
            ended.first_available_at,
            ended.available_at,
            ended.given_up_at as cancelled_at,
            ended.is_justified,
            due_dates.original_due_date,
            due_dates.latest_due_date,
            due_dates.baseline_changes_n,
            build.as_of,
            build.as_of_date,
            {{ local_date("coalesce(ended.available_at, ended.given_up_at)", "build.timezone") }}
            as terminal_on,
            {{ local_date("ended.available_at", "build.timezone") }} as available_on,
            cast(
                {{
                    dbt.dateadd(
                        "day", metric_parameter("grace_days"), "due_dates.latest_due_date"
                    )
                }} as date
            ) as latest_limit,
            cast(
                {{
                    dbt.dateadd(
                        "day", metric_parameter("grace_days"), "due_dates.original_due_date"
                    )
                }} as date
            ) as original_limit
        from issues
        cross join build
        inner join ended on ended.source_id = issues.source_id and ended.issue_id = issues.issue_id
        left join
            due_dates
            on due_dates.source_id = issues.source_id
            and due_dates.issue_id = issues.issue_id
    ),

    -- The landmark is the first day by which so many working days have passed since the start.
    landmarks as (
        select dated.initiative_id, min(landmark_days.work_date) as landmark_on
        from dated
        inner join days as start_days on {{ calendar_day_of("dated.started_at", "start_days") }}
        inner join
            days as landmark_days
            on landmark_days.working_days_before
            >= start_days.working_days_before + {{ metric_parameter("landmark_working_days") }}
        group by dated.initiative_id
    ),

    final as (
        select
            dated.*,
            landmarks.landmark_on,
            -- An overdue initiative is decided on its due date, open or not: failures are not seen
            -- later than successes.
            case
                when dated.latest_limit is null
                then dated.terminal_on
                when dated.terminal_on is null
                then case when dated.latest_limit < dated.as_of_date then dated.latest_limit end
                else least(dated.terminal_on, dated.latest_limit)
            end as decided_on,
            case
                when
                    dated.terminal_on is not null
                    and (dated.latest_limit is null or dated.terminal_on <= dated.latest_limit)
                then case when dated.available_at is not null then 'delivered' else 'cancelled' end
                when dated.latest_limit < dated.as_of_date
                then 'overdue'
            end as decision_reason
        from dated
        left join landmarks on landmarks.initiative_id = dated.initiative_id
    )

select *
from final
