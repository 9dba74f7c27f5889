{{ config(schema="pii") }}

with

    users as (select * from {{ ref("stg_jira__users") }}),

    field_changes as (select * from {{ ref("stg_jira__changelog_items") }}),

    worklogs as (select * from {{ ref("stg_jira__worklogs") }}),

    comments as (select * from {{ ref("stg_jira__comments") }}),

    issues as (select * from {{ ref("stg_jira__issues") }}),

    crm_accounts as (select * from {{ ref("stg_crm__accounts") }}),

    deals as (select * from {{ ref("stg_crm__deals") }}),

    -- Whoever is named anywhere has an account, listed among the users or not, and what nobody
    -- signed belongs to the account `Unknown` of its source: nothing is dropped.
    mentions as (
        select
            source_id,
            user_id,
            display_name as full_name,
            email,
            account_type,
            1 as precedence,
            cast(null as timestamp) as seen_at
        from users
        union all
        select
            source_id,
            assignee_id,
            {{ json_text("payload", "fields.assignee.displayName") }},
            {{ json_text("payload", "fields.assignee.emailAddress") }},
            {{ json_text("payload", "fields.assignee.accountType") }},
            2,
            updated_at
        from issues
        union all
        select
            source_id,
            coalesce(author_id, 'Unknown'),
            author_name,
            author_email,
            cast(null as varchar),
            3,
            created_at
        from field_changes
        union all
        select
            source_id, to_id, to_value, cast(null as varchar), cast(null as varchar), 3, created_at
        from field_changes
        where field = 'assignee'
        union all
        select
            source_id,
            from_id,
            from_value,
            cast(null as varchar),
            cast(null as varchar),
            3,
            created_at
        from field_changes
        where field = 'assignee'
        union all
        select
            source_id,
            coalesce(author_id, 'Unknown'),
            author_name,
            author_email,
            cast(null as varchar),
            3,
            started_at
        from worklogs
        union all
        select
            source_id,
            coalesce(author_id, 'Unknown'),
            author_name,
            author_email,
            cast(null as varchar),
            3,
            created_at
        from comments
        union all
        select
            source_id,
            owner_id,
            cast(null as varchar),
            owner_email,
            cast(null as varchar),
            3,
            created_at
        from crm_accounts
        union all
        select
            source_id,
            owner_id,
            cast(null as varchar),
            owner_email,
            cast(null as varchar),
            3,
            coalesce(updated_at, created_at)
        from deals
    ),

    cleaned as (
        select
            source_id,
            user_id as source_user_id,
            -- Names left on unsigned records are of many people and must not identify one.
            case when user_id <> 'Unknown' then nullif(lower(trim(full_name)), '') end as full_name,
            case when user_id <> 'Unknown' then nullif(lower(trim(email)), '') end as email,
            account_type,
            precedence,
            seen_at
        from mentions
        where user_id is not null
    ),

    -- People change their names: today's list outranks what old records still say.
    names as (
        select
            source_id,
            source_user_id,
            full_name,
            row_number() over (
                partition by source_id, source_user_id
                order by precedence, seen_at desc nulls last, full_name
            ) as name_rank
        from cleaned
        where full_name is not null
    ),

    emails as (
        select
            source_id,
            source_user_id,
            email,
            row_number() over (
                partition by source_id, source_user_id
                order by precedence, seen_at desc nulls last, email
            ) as email_rank
        from cleaned
        where email is not null
    ),

    accounts as (
        select source_id, source_user_id, coalesce(max(account_type), 'unknown') as account_type
        from cleaned
        group by source_id, source_user_id
    ),

    final as (
        select
            accounts.source_id,
            accounts.source_user_id,
            names.full_name,
            emails.email,
            accounts.account_type
        from accounts
        left join
            names
            on names.source_id = accounts.source_id
            and names.source_user_id = accounts.source_user_id
            and names.name_rank = 1
        left join
            emails
            on emails.source_id = accounts.source_id
            and emails.source_user_id = accounts.source_user_id
            and emails.email_rank = 1
    )

select *
from final
