with

    windows as (select * from {{ ref("int_metrics__innovation_windows") }}),

    clusters as (select * from {{ ref("int_metrics__innovation_clusters") }}),

    replicates as (select * from {{ ref("int_metrics__innovation_replicates") }}),

    ideas as (
        select windows.quarter_start, count(submitted.idea_id) as ideas_n
        from windows
        left join
            {{ ref("int_metrics__ideas") }} as submitted
            on submitted.submitted_on >= windows.window_start
            and submitted.submitted_on < windows.window_end
        group by windows.quarter_start
    ),

    contributions as (
        select contributions.*
        from {{ ref("fct_contribution") }} as contributions
        where contributions.effort_days > 0
    ),

    -- Coverage counts records: a won line with product, amount and date; an effort day with a known
    -- department; ideas are what they are.
    revenue_coverage as (
        select
            windows.quarter_start,
            cast(
                count(
                    case
                        when won_revenue.product_id <> 'Unknown' and won_revenue.revenue is not null
                        then 1
                    end
                ) as double
            )
            / nullif(count(won_revenue.deal_id), 0) as v_coverage
        from windows
        left join
            {{ ref("int_crm__won_revenue") }} as won_revenue
            on won_revenue.won_on >= windows.window_start
            and won_revenue.won_on < windows.window_end
        group by windows.quarter_start
    ),

    effort_coverage as (
        select
            windows.quarter_start,
            sum(contributions.effort_days) as effort_days,
            sum(
                case
                    when contributions.department_id <> 'Unknown' then contributions.effort_days
                end
            )
            / nullif(sum(contributions.effort_days), 0) as x_coverage,
            count(distinct persons.person_key) as contributors_n
        from windows
        left join
            contributions
            on contributions.work_date >= windows.window_start
            and contributions.work_date < windows.window_end
        left join
            {{ ref("dim_person") }} as persons
            on persons.person_key = contributions.person_key
            and persons.is_employee
        group by windows.quarter_start
    ),

    headcounts as (
        select windows.quarter_start, count(distinct assignments.person_key) as headcount
        from windows
        inner join
            {{ ref("dim_worker_assignment") }} as assignments
            on assignments.valid_from < windows.window_end
            and (assignments.valid_to is null or assignments.valid_to >= windows.window_end)
        group by windows.quarter_start
    ),

    components as (
        select
            windows.quarter_start,
            windows.window_start,
            windows.window_end,
            sum(case when clusters.component = 'v' then clusters.numerator end) as v_numerator,
            sum(case when clusters.component = 'v' then clusters.denominator end) as v_denominator,
            sum(case when clusters.component = 'c' then clusters.numerator end) as c_numerator,
            sum(case when clusters.component = 'c' then clusters.denominator end) as c_denominator,
            sum(case when clusters.component = 'e' then clusters.numerator end) as e_numerator,
            sum(case when clusters.component = 'e' then clusters.denominator end) as e_denominator,
            sum(case when clusters.component = 'x' then clusters.numerator end) as x_numerator,
            sum(case when clusters.component = 'x' then clusters.denominator end) as x_denominator,
            count(distinct clusters.cluster_key) as clusters_n
        from windows
        left join clusters on clusters.quarter_start = windows.quarter_start
        group by windows.quarter_start, windows.window_start, windows.window_end
    ),

    scored as (
        select
            *,
            v_numerator / v_denominator as v,
            c_numerator / c_denominator as c,
            {{
                band_score(
                    "(e_numerator / e_denominator)",
                    metric_parameter("exploratory_low"),
                    metric_parameter("exploratory_high"),
                )
            }} as e,
            x_numerator / x_denominator as x
        from components
    ),

    intervals as (
        select
            quarter_start,
            {{ percentile("index_value", 0.025) }} as ci_low,
            {{ percentile("index_value", 0.975) }} as ci_high,
            {{ percentile("v", 0.025) }} as v_low,
            {{ percentile("v", 0.975) }} as v_high,
            {{ percentile("c", 0.025) }} as c_low,
            {{ percentile("c", 0.975) }} as c_high,
            {{ percentile("e", 0.025) }} as e_low,
            {{ percentile("e", 0.975) }} as e_high,
            {{ percentile("x", 0.025) }} as x_low,
            {{ percentile("x", 0.975) }} as x_high
        from replicates
        group by quarter_start
    ),

    -- How much the headline owes to the weights: the range over giving each component in turn .40
    -- and the others .20.
    sensitivity as (
        select
            quarter_start,
            {{ innovation_index("v", "c", "e", "x", 0.4, 0.2, 0.2, 0.2) }} as heavy_v,
            {{ innovation_index("v", "c", "e", "x", 0.2, 0.4, 0.2, 0.2) }} as heavy_c,
            {{ innovation_index("v", "c", "e", "x", 0.2, 0.2, 0.4, 0.2) }} as heavy_e,
            {{ innovation_index("v", "c", "e", "x", 0.2, 0.2, 0.2, 0.4) }} as heavy_x
        from scored
    ),

    final as (
        select
            'ALL' as department_id,
            scored.quarter_start,
            scored.window_start,
            scored.window_end,
            scored.v,
            scored.v_numerator,
            scored.v_denominator,
            intervals.v_low,
            intervals.v_high,
            scored.c,
            scored.c_numerator,
            scored.c_denominator,
            intervals.c_low,
            intervals.c_high,
            scored.e,
            scored.e_numerator,
            scored.e_denominator,
            intervals.e_low,
            intervals.e_high,
            scored.x,
            scored.x_numerator,
            scored.x_denominator,
            intervals.x_low,
            intervals.x_high,
            {{
                innovation_index(
                    "scored.v",
                    "scored.c",
                    "scored.e",
                    "scored.x",
                    metric_parameter("alpha_v"),
                    metric_parameter("alpha_c"),
                    metric_parameter("alpha_e"),
                    metric_parameter("alpha_x"),
                )
            }} as index_value,
            case
                when scored.v + scored.c + scored.e + scored.x is not null then intervals.ci_low
            end as ci_low,
            case
                when scored.v + scored.c + scored.e + scored.x is not null then intervals.ci_high
            end as ci_high,
            least(
                sensitivity.heavy_v, sensitivity.heavy_c, sensitivity.heavy_e, sensitivity.heavy_x
            ) as sensitivity_low,
            greatest(
                sensitivity.heavy_v, sensitivity.heavy_c, sensitivity.heavy_e, sensitivity.heavy_x
            ) as sensitivity_high,
            scored.clusters_n,
            ideas.ideas_n,
            headcounts.headcount,
            100.0 * ideas.ideas_n / nullif(headcounts.headcount, 0) as ideas_per_100_people,
            effort_coverage.contributors_n,
            revenue_coverage.v_coverage,
            case when scored.c is not null then cast(1 as double) end as c_coverage,
            scored.e_denominator / nullif(effort_coverage.effort_days, 0) as e_coverage,
            effort_coverage.x_coverage,
            least(
                revenue_coverage.v_coverage,
                scored.e_denominator / nullif(effort_coverage.effort_days, 0),
                effort_coverage.x_coverage
            ) as coverage
        from scored
        inner join sensitivity on sensitivity.quarter_start = scored.quarter_start
        inner join ideas on ideas.quarter_start = scored.quarter_start
        inner join revenue_coverage on revenue_coverage.quarter_start = scored.quarter_start
        inner join effort_coverage on effort_coverage.quarter_start = scored.quarter_start
        left join intervals on intervals.quarter_start = scored.quarter_start
        left join headcounts on headcounts.quarter_start = scored.quarter_start
    )

select *
from final
