with

    evidence as (select * from {{ ref("int_people__identity_evidence") }}),

    best_evidence as (
        select *, min(evidence_rank) over (partition by source_id, source_user_id) as best_rank
        from evidence
    ),

    final as (
        select
            source_id,
            source_user_id,
            person_key,
            method,
            cast(confidence as double) as confidence,
            valid_from,
            valid_to
        from best_evidence
        where evidence_rank = best_rank
    )

select *
from final
