with

    stream_coverage as (select * from {{ ref("int_mission__stream_coverage") }}),

    people_coverage as (select * from {{ ref("int_people__coverage") }}),

    contributions as (select * from {{ ref("fct_contribution") }}),

    status_phases as (select * from {{ ref("int_jira__status_phases") }}),

    won_revenue as (select * from {{ ref("int_crm__won_revenue") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    measured as (
        select source_id, topic, measure, numerator, denominator
        from stream_coverage
        union all
        select source_id, topic, measure, numerator, denominator
        from people_coverage
        union all
        select
            source_id,
            'effort',
            'effort_with_department',
            coalesce(sum(case when department_id <> 'Unknown' then effort_days end), 0.0),
            sum(effort_days)
        from contributions
        group by source_id
        union all
        select
            source_id,
            'effort',
            'effort_in_initiatives',
            coalesce(sum(case when initiative_id is not null then effort_days end), 0.0),
            sum(effort_days)
        from contributions
        group by source_id
        union all
        select
            source_id,
            'statuses',
            'statuses_mapped',
            count(case when phase_basis = 'seed' then 1 end),
            count(*)
        from status_phases
        group by source_id
        union all
        select source_id, 'revenue', 'won_deals_with_amount', count(revenue), count(*)
        from won_revenue
        group by source_id
        union all
        select
            source_id,
            'revenue',
            'revenue_with_product',
            coalesce(sum(case when product_id <> 'Unknown' then revenue end), 0.0),
            sum(revenue)
        from won_revenue
        group by source_id
    ),

    final as (
        select
            measured.source_id,
            measured.topic,
            measured.measure,
            cast(measured.numerator as double) as numerator,
            cast(measured.denominator as double) as denominator,
            cast(measured.numerator as double) / nullif(measured.denominator, 0) as coverage,
            build.as_of
        from measured
        cross join build
    )

select *
from final
