with

    records as ({{ current_records(source("raw_hr", "employees"), ["source_id", "employee_id"]) }}),

    final as (
        select
            source_id,
            employee_id,
            {{ json_text("payload", "full_name") }} as full_name,
            {{ json_text("payload", "email") }} as email,
            cast({{ json_text("payload", "hired_on") }} as date) as hired_on,
            cast({{ json_text("payload", "terminated_on") }} as date) as terminated_on,
            {{ json_text("payload", "location_id") }} as location_id
        from records
        where coalesce({{ json_text("payload", "is_deleted") }}, 'false') <> 'true'
    )

select *
from final
