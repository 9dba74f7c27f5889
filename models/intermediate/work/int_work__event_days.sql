with

    comments as (select * from {{ ref("stg_jira__comments") }}),

    status_changes as (select * from {{ ref("int_jira__field_changes") }} where field = 'status'),

    issues as (select * from {{ ref("int_jira__issues") }}),

    account_people as (select * from {{ ref("int_people__account_people") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    events as (
        select source_id, issue_id, author_id, created_at
        from comments
        union all
        select source_id, issue_id, author_id, created_at
        from status_changes
    ),

    final as (
        select distinct
            events.source_id,
            events.issue_id,
            account_people.person_key,
            {{ local_date("events.created_at", "account_people.timezone") }} as work_date
        from events
        cross join build
        inner join
            issues on issues.source_id = events.source_id and issues.issue_id = events.issue_id
        inner join
            account_people
            on account_people.source_id = events.source_id
            and account_people.source_user_id = coalesce(events.author_id, 'Unknown')
        where events.created_at < build.as_of
    )

select *
from final
