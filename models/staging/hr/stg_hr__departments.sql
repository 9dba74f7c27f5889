with

    records as (
        {{
            current_records(
                source("raw_hr", "departments"),
                ["source_id", "department_id", json_text("payload", "valid_from")],
            )
        }}
    ),

    final as (
        select
            source_id,
            department_id,
            {{ json_text("payload", "name") }} as name,
            {{ json_text("payload", "parent_department_id") }} as parent_department_id,
            {{ json_text("payload", "function") }} as function,
            cast({{ json_text("payload", "valid_from") }} as date) as valid_from,
            cast({{ json_text("payload", "valid_to") }} as date) as valid_to
        from records
    )

select *
from final
