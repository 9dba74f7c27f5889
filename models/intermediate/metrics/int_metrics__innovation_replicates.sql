with

    clusters as (select * from {{ ref("int_metrics__innovation_clusters") }}),

    replicates as (
        select {{ number_series(metric_parameter("bootstrap_replicates")) }} as replicate
    ),

    -- One weight for a cluster in a replicate, the same in every quarter and component: changes
    -- between quarters then compare like with like.
    keys as (select distinct cluster_key from clusters),

    weights as (
        select
            keys.cluster_key,
            replicates.replicate,
            {{
                poisson_from_uniform(
                    uniform_from_md5(
                        "keys.cluster_key || ':' || cast(replicates.replicate as varchar)"
                    )
                )
            }} as weight
        from keys
        cross join replicates
    ),

    components as (
        select
            clusters.quarter_start,
            weights.replicate,
            clusters.component,
            sum(weights.weight * clusters.numerator)
            / nullif(sum(weights.weight * clusters.denominator), 0) as share
        from clusters
        inner join weights on weights.cluster_key = clusters.cluster_key
        group by clusters.quarter_start, weights.replicate, clusters.component
    ),

    pivoted as (
        select
            quarter_start,
            replicate,
            max(case when component = 'v' then share end) as v,
            max(case when component = 'c' then share end) as c,
            max(case when component = 'e' then share end) as e_share,
            max(case when component = 'x' then share end) as x
        from components
        group by quarter_start, replicate
    ),

    scored as (
        select
            *,
            {{
                band_score(
                    "e_share",
                    metric_parameter("exploratory_low"),
                    metric_parameter("exploratory_high"),
                )
            }} as e
        from pivoted
    ),

    final as (
        select
            quarter_start,
            replicate,
            v,
            c,
            e,
            x,
            {{
                innovation_index(
                    "v",
                    "c",
                    "e",
                    "x",
                    metric_parameter("alpha_v"),
                    metric_parameter("alpha_c"),
                    metric_parameter("alpha_e"),
                    metric_parameter("alpha_x"),
                )
            }} as index_value
        from scored
    )

select *
from final
