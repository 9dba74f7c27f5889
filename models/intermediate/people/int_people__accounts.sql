{{ config(schema="pii") }}

with

    users as (select * from {{ ref("stg_jira__users") }}),

    field_changes as (select * from {{ ref("stg_jira__changelog_items") }}),

    worklogs as (select * from {{ ref("stg_jira__worklogs") }}),

    comments as (select * from {{ ref("stg_jira__comments") }}),

    issues as (select * from {{ ref("stg_jira__issues") }}),

    crm_accounts as (select * from {{ ref("stg_crm__accounts") }}),

    deals as (select * from {{ ref("stg_crm__deals") }}),

    -- Whoever is named anywhere has an account, listed among the users or not: nobody is dropped.
    mentions as (
        select source_id, user_id, display_name as full_name, email, account_type
        from users
        union all
        select source_id, author_id, author_name, author_email, cast(null as varchar)
        from field_changes
        union all
        select source_id, to_id, to_value, cast(null as varchar), cast(null as varchar)
        from field_changes
        where field = 'assignee'
        union all
        select source_id, from_id, from_value, cast(null as varchar), cast(null as varchar)
        from field_changes
        where field = 'assignee'
        union all
        select source_id, author_id, author_name, author_email, cast(null as varchar)
        from worklogs
        union all
        select source_id, author_id, author_name, author_email, cast(null as varchar)
        from comments
        union all
        select
            source_id,
            assignee_id,
            {{ json_text("payload", "fields.assignee.displayName") }},
            {{ json_text("payload", "fields.assignee.emailAddress") }},
            {{ json_text("payload", "fields.assignee.accountType") }}
        from issues
        union all
        select source_id, owner_id, cast(null as varchar), owner_email, cast(null as varchar)
        from crm_accounts
        union all
        select source_id, owner_id, cast(null as varchar), owner_email, cast(null as varchar)
        from deals
    ),

    final as (
        select
            source_id,
            user_id as source_user_id,
            max(nullif(lower(trim(full_name)), '')) as full_name,
            max(nullif(lower(trim(email)), '')) as email,
            coalesce(max(account_type), 'unknown') as account_type
        from mentions
        where user_id is not null
        group by source_id, user_id
    )

select *
from final
