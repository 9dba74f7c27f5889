with

    records as (
        {{
            current_records(
                source("raw_hr", "department_history"),
                ["source_id", "employee_id", "department_id", "from_date"],
            )
        }}
    ),

    final as (
        select
            source_id,
            employee_id,
            department_id,
            from_date,
            cast({{ json_text("payload", "to_date") }} as date) as to_date,
            cast({{ json_text("payload", "fte") }} as double) as fte,
            cast({{ json_text("payload", "share") }} as double) as share,
            {{ json_text("payload", "location_id") }} as location_id,
            window_id
        from records
    )

select *
from final
