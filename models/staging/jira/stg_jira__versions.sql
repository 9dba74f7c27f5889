with

    records as ({{ current_records(source("raw_jira", "versions"), ["source_id", "version_id"]) }}),

    final as (
        select
            source_id,
            version_id,
            {{ json_text("payload", "name") }} as version_name,
            coalesce({{ json_text("payload", "released") }} = 'true', false) as is_released,
            cast({{ json_text("payload", "releaseDate") }} as date) as released_on
        from records
    )

select *
from final
