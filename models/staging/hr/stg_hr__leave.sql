with

    records as (
        {{ current_records(source("raw_hr", "leave"), ["source_id", "employee_id", "from_date"]) }}
    ),

    final as (
        select
            source_id,
            employee_id,
            from_date,
            cast({{ json_text("payload", "to_date") }} as date) as to_date,
            {{ json_text("payload", "leave_type") }} as leave_type,
            cast({{ json_text("payload", "hours") }} as double) as hours
        from records
    )

select *
from final
