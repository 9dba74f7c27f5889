with

    worklogs as (select * from {{ ref("stg_jira__worklogs") }}),

    deletions as (select * from {{ ref("stg_jira__worklog_deletions") }}),

    issues as (select * from {{ ref("int_jira__issues") }}),

    account_people as (select * from {{ ref("int_people__account_people") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    final as (
        select
            worklogs.source_id,
            worklogs.issue_id,
            account_people.person_key,
            {{ local_date("worklogs.started_at", "account_people.timezone") }} as work_date,
            sum(worklogs.worklog_hours) as worklog_hours
        from worklogs
        cross join build
        inner join
            issues on issues.source_id = worklogs.source_id and issues.issue_id = worklogs.issue_id
        inner join
            account_people
            on account_people.source_id = worklogs.source_id
            and account_people.source_user_id = coalesce(worklogs.author_id, 'Unknown')
        left join
            deletions
            on deletions.source_id = worklogs.source_id
            and deletions.worklog_id = worklogs.worklog_id
        where
            worklogs.started_at < build.as_of
            and worklogs.worklog_hours > 0
            and deletions.worklog_id is null
        group by
            worklogs.source_id,
            worklogs.issue_id,
            account_people.person_key,
            {{ local_date("worklogs.started_at", "account_people.timezone") }}
    )

select *
from final
