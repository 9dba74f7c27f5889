with

    success as (select * from {{ ref("int_metrics__success_scores") }}),

    time_to_market as (select * from {{ ref("int_metrics__time_to_market_scores") }}),

    innovation as (select * from {{ ref("int_metrics__innovation_scores") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    definitions as (
        select
            definitions.metric_id,
            definitions.version,
            definitions.unit,
            row_number() over (
                partition by definitions.metric_id order by definitions.version desc
            ) as version_rank
        from {{ ref("metric_definitions") }} as definitions
        cross join build
        where definitions.valid_from <= build.as_of_date
    ),

    targets as (
        select
            metric_id,
            target_value,
            valid_from,
            lead(valid_from) over (partition by metric_id order by valid_from) as valid_to
        from {{ ref("metric_targets") }}
        where department_id = 'ALL' and objective_id = 'ALL'
    ),

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

    -- Too few people withhold a cell whether or not it has a value: how many records it has and
    -- how long they wait tells about them too. The same people may stand behind its baseline.
    judged as (
        select
            *,
            n > 0 and people_n < {{ metric_parameter("min_people") }} as is_suppressed,
            n > 0
            and people_n < {{ metric_parameter("min_people") }}
            or baseline_value is not null
            and coalesce(baseline_people_n, 0)
            < {{ metric_parameter("min_people") }} as is_change_suppressed
        from scores
    ),

    cleared as (
        select
            metric_id,
            period_grain,
            period_start,
            period_end,
            ci_method,
            is_suppressed,
            undefined_reason,
            case when not is_suppressed then value end as value,
            case when not is_suppressed then numerator end as numerator,
            case when not is_suppressed then denominator end as denominator,
            case when not is_suppressed then n end as n,
            case when not is_suppressed then ci_low end as ci_low,
            case when not is_suppressed then ci_high end as ci_high,
            case when not is_suppressed then coverage end as coverage,
            case when not is_suppressed then censored_n end as censored_n,
            case when not is_suppressed then undetermined_n end as undetermined_n,
            case when not is_change_suppressed then baseline_value end as baseline_value,
            case when not is_change_suppressed then change_value end as change_value,
            case when not is_change_suppressed then change_ci_low end as change_ci_low,
            case when not is_change_suppressed then change_ci_high end as change_ci_high
        from judged
    ),

    final as (
        select
            cleared.metric_id,
            cast(definitions.version as integer) as definition_version,
            'ALL' as department_id,
            'ALL' as objective_id,
            cleared.period_grain,
            cleared.period_start,
            cleared.period_end,
            cleared.value,
            definitions.unit,
            cleared.numerator,
            cleared.denominator,
            cast(cleared.n as bigint) as n,
            cleared.ci_low,
            cleared.ci_high,
            cleared.ci_method,
            cleared.coverage,
            cast(cleared.censored_n as bigint) as censored_n,
            cast(cleared.undetermined_n as bigint) as undetermined_n,
            cleared.baseline_value,
            cleared.change_value,
            cleared.change_ci_low,
            cleared.change_ci_high,
            case
                when cleared.change_ci_low is not null and cleared.change_ci_high is not null
                then cleared.change_ci_low > 0 or cleared.change_ci_high < 0
            end as is_change_significant,
            cast(targets.target_value as double) as target_value,
            case when cleared.value is null then 'withheld' else 'published' end as status,
            case
                when cleared.is_suppressed
                then
                    'suppressed: fewer than '
                    || cast(cast({{ metric_parameter("min_people") }} as bigint) as varchar)
                    || ' people'
                when cleared.value is null
                then cleared.undefined_reason
                when
                    cleared.n < case
                        when cleared.ci_method = 'poisson_bootstrap'
                        then {{ metric_parameter("min_clusters") }}
                        else {{ metric_parameter("min_n") }}
                    end
                then 'low_confidence'
            end as status_reason,
            build.as_of
        from cleared
        cross join build
        inner join
            definitions
            on definitions.metric_id = cleared.metric_id
            and definitions.version_rank = 1
        left join
            targets
            on targets.metric_id = cleared.metric_id
            and targets.valid_from <= cleared.period_end
            and (targets.valid_to is null or targets.valid_to > cleared.period_end)
    )

select *
from final
