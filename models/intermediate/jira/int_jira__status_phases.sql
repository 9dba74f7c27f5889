with

    spans as (select * from {{ ref("int_jira__field_spans") }} where field = 'status'),

    issues as (select * from {{ ref("int_jira__issues") }}),

    status_map as (select * from {{ ref("jira_status_map") }}),

    statuses as (select * from {{ ref("stg_jira__statuses") }}),

    -- The category that the site itself declares stands in where no seed names a status; the
    -- issue's own copy serves sites whose list of statuses was not delivered.
    declared_categories as (
        select source_id, status, max(status_category) as status_category
        from
            (
                select source_id, status, status_category
                from statuses
                union all
                select source_id, status, status_category
                from issues
            ) as declared
        group by source_id, status
    ),

    used as (
        select distinct spans.source_id, issues.project_key, spans.value as status
        from spans
        inner join issues on issues.source_id = spans.source_id and issues.issue_id = spans.issue_id
    ),

    ranked as (
        select
            used.source_id,
            used.project_key,
            used.status,
            status_map.phase,
            row_number() over (
                partition by used.source_id, used.project_key, used.status
                order by
                    case when status_map.source_id = '*' then 1 else 0 end,
                    case when status_map.project_key = '*' then 1 else 0 end
            ) as map_rank
        from used
        left join
            status_map
            on status_map.status = used.status
            and status_map.source_id in (used.source_id, '*')
            and status_map.project_key in (used.project_key, '*')
    ),

    final as (
        select
            ranked.source_id,
            ranked.project_key,
            ranked.status,
            case
                when ranked.phase is not null
                then ranked.phase
                when declared_categories.status_category = 'new'
                then 'approved'
                when declared_categories.status_category = 'indeterminate'
                then 'in_progress'
                when declared_categories.status_category = 'done'
                then 'done'
                else 'Unknown'
            end as phase,
            case
                when ranked.phase is not null
                then 'seed'
                when declared_categories.status_category in ('new', 'indeterminate', 'done')
                then 'status_category'
                else 'none'
            end as phase_basis
        from ranked
        left join
            declared_categories
            on declared_categories.source_id = ranked.source_id
            and declared_categories.status = ranked.status
        where ranked.map_rank = 1
    )

select *
from final
