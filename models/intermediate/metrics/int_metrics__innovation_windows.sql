with

    periods as (select * from {{ ref("int_metrics__periods") }}),

    final as (
        select
            cast({{ dbt.dateadd("month", -3, "period_end") }} as date) as quarter_start,
            period_start as window_start,
            period_end as window_end
        from periods
        where period_grain = 'trailing_12m' and extract(month from period_end) in (1, 4, 7, 10)
    )

select *
from final
