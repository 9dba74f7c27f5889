with

    windows as (select * from {{ ref("int_metrics__innovation_windows") }}),

    won_revenue as (select * from {{ ref("int_crm__won_revenue") }} where revenue is not null),

    products as (select * from {{ ref("dim_product") }}),

    issues as (select * from {{ ref("int_jira__issues") }}),

    milestones as (select * from {{ ref("int_jira__issue_milestones") }}),

    success as (select * from {{ ref("fct_cross_departmental_success") }}),

    contributions as (select * from {{ ref("fct_contribution") }} where effort_days > 0),

    initiative_objectives as (select * from {{ ref("bridge_initiative_objective") }}),

    objectives as (select * from {{ ref("dim_objective") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    ideas as (select * from {{ ref("int_metrics__ideas") }}),

    label_spans as (select * from {{ ref("int_jira__field_spans") }} where field = 'labels'),

    -- An innovation is an initiative that began as an idea or brought a product to the market, by
    -- the labels it carried at its launch.
    innovations as (
        select distinct
            issues.source_id || ':' || issues.issue_id as initiative_id,
            {{ local_date("milestones.available_at", "build.timezone") }} as launched_on
        from issues
        cross join build
        inner join
            milestones
            on milestones.source_id = issues.source_id
            and milestones.issue_id = issues.issue_id
        left join
            label_spans
            on label_spans.source_id = issues.source_id
            and label_spans.issue_id = issues.issue_id
            and label_spans.entered_at <= milestones.available_at
            and (label_spans.exited_at is null or label_spans.exited_at > milestones.available_at)
        left join
            products
            on products.jira_label is not null
            and {{ has_word("label_spans.value", "products.jira_label") }}
        where
            issues.role = 'initiative'
            and milestones.available_at is not null
            and (milestones.idea_at is not null or products.product_id is not null)
    ),

    -- Revenue of which nobody knows any product says nothing about new products.
    attributed_windows as (
        select distinct windows.quarter_start
        from windows
        inner join
            won_revenue
            on won_revenue.won_on >= windows.window_start
            and won_revenue.won_on < windows.window_end
        where won_revenue.product_id <> 'Unknown'
    ),

    effort as (
        select
            contributions.initiative_id,
            contributions.work_date,
            contributions.effort_days * initiative_objectives.weight as effort_days,
            objectives.horizon
        from contributions
        inner join
            initiative_objectives
            on initiative_objectives.initiative_id = contributions.initiative_id
            and initiative_objectives.valid_from <= contributions.work_date
            and (
                initiative_objectives.valid_to is null
                or initiative_objectives.valid_to > contributions.work_date
            )
        inner join
            objectives
            on objectives.objective_id = initiative_objectives.objective_id
            and (objectives.valid_from is null or objectives.valid_from <= contributions.work_date)
            and (objectives.valid_to is null or objectives.valid_to > contributions.work_date)
    ),

    final as (
        select
            windows.quarter_start,
            'v' as component,
            'product ' || won_revenue.product_id as cluster_key,
            coalesce(
                sum(
                    case
                        when
                            won_revenue.won_on
                            < {{
                                dbt.dateadd(
                                    "month",
                                    metric_parameter("new_product_months"),
                                    "products.first_sold_on",
                                )
                            }}
                        then won_revenue.revenue
                    end
                ),
                0.0
            ) as numerator,
            sum(won_revenue.revenue) as denominator
        from windows
        inner join attributed_windows on attributed_windows.quarter_start = windows.quarter_start
        inner join
            won_revenue
            on won_revenue.won_on >= windows.window_start
            and won_revenue.won_on < windows.window_end
        left join products on products.product_id = won_revenue.product_id
        group by windows.quarter_start, won_revenue.product_id
        union all
        select
            windows.quarter_start,
            'c',
            'idea ' || ideas.idea_id,
            case when ideas.launched_on <= ideas.matures_on then 1.0 else 0.0 end,
            1.0
        from windows
        inner join
            ideas
            on ideas.matures_on >= windows.window_start
            and ideas.matures_on < windows.window_end
        union all
        select
            windows.quarter_start,
            'e',
            'initiative ' || effort.initiative_id,
            coalesce(sum(case when effort.horizon = 'visionary' then effort.effort_days end), 0.0),
            sum(effort.effort_days)
        from windows
        inner join
            effort
            on effort.work_date >= windows.window_start
            and effort.work_date < windows.window_end
        group by windows.quarter_start, effort.initiative_id
        union all
        select
            windows.quarter_start,
            'x',
            'initiative ' || innovations.initiative_id,
            case when success.is_cross_departmental then 1.0 else 0.0 end,
            1.0
        from windows
        inner join
            innovations
            on innovations.launched_on >= windows.window_start
            and innovations.launched_on < windows.window_end
        inner join success on success.initiative_id = innovations.initiative_id
    )

select *
from final
where denominator <> 0
