with

    success as (select * from {{ ref("int_metrics__success_scores") }}),

    time_to_market as (select * from {{ ref("int_metrics__time_to_market_scores") }}),

    innovation as (select * from {{ ref("int_metrics__innovation_scores") }}),

    definitions as (
        select *, row_number() over (partition by metric_id order by version desc) as version_rank
        from {{ ref("metric_definitions") }}
    ),

    targets as (
        select *, row_number() over (partition by metric_id order by valid_from desc) as target_rank
        from {{ ref("metric_targets") }}
        where department_id = 'ALL' and objective_id = 'ALL'
    ),

    build as (select * from {{ ref("int_mission__build") }}),

    scores as (
        select *
        from success
        union all
        select *
        from time_to_market
        union all
        select *
        from innovation
    ),

    judged as (
        select
            scores.*,
            case
                when scores.value is null
                then scores.undefined_reason
                when scores.people_n < {{ metric_parameter("min_people") }}
                then
                    'suppressed: fewer than '
                    || cast(cast({{ metric_parameter("min_people") }} as bigint) as varchar)
                    || ' people'
            end as withheld_reason,
            coalesce(scores.people_n < {{ metric_parameter("min_people") }}, false)
            and scores.value is not null as is_suppressed
        from scores
    ),

    final as (
        select
            judged.metric_id,
            cast(definitions.version as integer) as definition_version,
            'ALL' as department_id,
            'ALL' as objective_id,
            judged.period_grain,
            judged.period_start,
            judged.period_end,
            case when not judged.is_suppressed then judged.value end as value,
            definitions.unit,
            case when not judged.is_suppressed then judged.numerator end as numerator,
            case when not judged.is_suppressed then judged.denominator end as denominator,
            case when not judged.is_suppressed then cast(judged.n as bigint) end as n,
            case when not judged.is_suppressed then judged.ci_low end as ci_low,
            case when not judged.is_suppressed then judged.ci_high end as ci_high,
            judged.ci_method,
            judged.coverage,
            case
                when not judged.is_suppressed then cast(judged.censored_n as bigint)
            end as censored_n,
            case
                when not judged.is_suppressed then cast(judged.undetermined_n as bigint)
            end as undetermined_n,
            case when not judged.is_suppressed then judged.baseline_value end as baseline_value,
            case when not judged.is_suppressed then judged.change_value end as change_value,
            case when not judged.is_suppressed then judged.change_ci_low end as change_ci_low,
            case when not judged.is_suppressed then judged.change_ci_high end as change_ci_high,
            case
                when
                    not judged.is_suppressed
                    and judged.change_ci_low is not null
                    and judged.change_ci_high is not null
                then judged.change_ci_low > 0 or judged.change_ci_high < 0
            end as is_change_significant,
            cast(targets.target_value as double) as target_value,
            case when judged.withheld_reason is null then 'published' else 'withheld' end as status,
            coalesce(
                judged.withheld_reason,
                case
                    when
                        judged.n < case
                            when judged.ci_method = 'poisson_bootstrap'
                            then {{ metric_parameter("min_clusters") }}
                            else {{ metric_parameter("min_n") }}
                        end
                    then 'low_confidence'
                end
            ) as status_reason,
            build.as_of
        from judged
        cross join build
        inner join
            definitions on definitions.metric_id = judged.metric_id and definitions.version_rank = 1
        left join targets on targets.metric_id = judged.metric_id and targets.target_rank = 1
    )

select *
from final
