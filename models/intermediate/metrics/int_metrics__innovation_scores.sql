with

    index_rows as (select * from {{ ref("fct_innovation_index") }} where department_id = 'ALL'),

    replicates as (select * from {{ ref("int_metrics__innovation_replicates") }}),

    -- The headline rests on all clusters, a component on its own.
    cluster_counts as (
        select
            quarter_start,
            'innovation_index' as metric_id,
            count(distinct cluster_key) as clusters_n
        from {{ ref("int_metrics__innovation_clusters") }}
        group by quarter_start
        union all
        select quarter_start, 'innovation_index.' || component, count(*)
        from {{ ref("int_metrics__innovation_clusters") }}
        group by quarter_start, component
    ),

    -- Replicates share their cluster weights over quarters, so the difference within a replicate is
    -- a draw of the change.
    changes as (
        select
            replicates.quarter_start,
            {{ percentile("replicates.index_value - baseline.index_value", 0.025) }}
            as change_ci_low,
            {{ percentile("replicates.index_value - baseline.index_value", 0.975) }}
            as change_ci_high
        from replicates
        inner join
            replicates as baseline
            on baseline.replicate = replicates.replicate
            and baseline.quarter_start = {{ dbt.dateadd("year", -1, "replicates.quarter_start") }}
        group by replicates.quarter_start
    ),

    components as (
        select
            *,
            'innovation_index' as metric_id,
            index_value as value,
            cast(null as double) as numerator,
            cast(null as double) as denominator,
            ci_low as low,
            ci_high as high,
            coverage as own_coverage
        from index_rows
        union all
        select *, 'innovation_index.v', v, v_numerator, v_denominator, v_low, v_high, v_coverage
        from index_rows
        union all
        select *, 'innovation_index.c', c, c_numerator, c_denominator, c_low, c_high, c_coverage
        from index_rows
        union all
        select *, 'innovation_index.e', e, e_numerator, e_denominator, e_low, e_high, e_coverage
        from index_rows
        union all
        select *, 'innovation_index.x', x, x_numerator, x_denominator, x_low, x_high, x_coverage
        from index_rows
    ),

    final as (
        select
            components.metric_id,
            'trailing_12m' as period_grain,
            components.window_start as period_start,
            components.window_end as period_end,
            components.value,
            components.numerator,
            components.denominator,
            coalesce(cluster_counts.clusters_n, 0) as n,
            coalesce(components.contributors_n, 0) as people_n,
            components.low as ci_low,
            components.high as ci_high,
            'poisson_bootstrap' as ci_method,
            components.own_coverage as coverage,
            0 as censored_n,
            0 as undetermined_n,
            baseline.value as baseline_value,
            components.value - baseline.value as change_value,
            case
                when components.metric_id = 'innovation_index' then changes.change_ci_low
            end as change_ci_low,
            case
                when components.metric_id = 'innovation_index' then changes.change_ci_high
            end as change_ci_high,
            case
                when components.value is null and components.metric_id = 'innovation_index'
                then
                    'a component is missing: ' || case
                        when components.v is null
                        then 'v (no won revenue of a known product) '
                        else ''
                    end
                    || case
                        when components.c is null then 'c (no idea reached maturity) ' else ''
                    end
                    || case
                        when components.e is null
                        then 'e (no effort linked to an objective) '
                        else ''
                    end
                    || case when components.x is null then 'x (no innovation launched) ' else '' end
                when components.value is null
                then 'nothing to count in the window'
            end as undefined_reason,
            coalesce(baseline.contributors_n, 0) as baseline_people_n
        from components
        left join
            components as baseline
            on baseline.metric_id = components.metric_id
            and baseline.quarter_start = {{ dbt.dateadd("year", -1, "components.quarter_start") }}
        left join
            cluster_counts
            on cluster_counts.quarter_start = components.quarter_start
            and cluster_counts.metric_id = components.metric_id
        left join changes on changes.quarter_start = components.quarter_start
    )

select *
from final
