with

    assignments as (select * from {{ ref("int_people__assignments") }}),

    boundaries as (
        select person_key, from_date as boundary
        from assignments
        union
        select person_key, to_date
        from assignments
        where to_date is not null
    ),

    -- Between two neighbouring boundaries of a person nothing begins or ends: overlaps become
    -- parallel posts of one segment, and are shared out instead of fanned out.
    segments as (
        select
            person_key,
            boundary as valid_from,
            lead(boundary) over (partition by person_key order by boundary) as valid_to
        from boundaries
    ),

    posts as (
        select
            segments.person_key,
            segments.valid_from,
            segments.valid_to,
            assignments.department_id,
            max(assignments.location_id) as location_id,
            -- Rows of one department add up to a whole post at most: beyond it they repeat each
            -- other.
            least(sum(assignments.fte), greatest(max(assignments.fte), 1.0)) as fte,
            -- A stated share wins; otherwise posts weigh by their contracted time.
            least(
                sum(coalesce(assignments.share, assignments.fte)),
                greatest(max(coalesce(assignments.share, assignments.fte)), 1.0)
            ) as raw_weight,
            max(assignments.recorded_from) as recorded_from
        from segments
        inner join
            assignments
            on assignments.person_key = segments.person_key
            and assignments.from_date <= segments.valid_from
            and (assignments.to_date is null or assignments.to_date > segments.valid_from)
        group by
            segments.person_key, segments.valid_from, segments.valid_to, assignments.department_id
    ),

    weighted as (
        select
            *,
            case
                when sum(raw_weight) over (partition by person_key, valid_from) > 0
                then raw_weight / sum(raw_weight) over (partition by person_key, valid_from)
                -- Posts without any contracted time still share the person evenly.
                else 1.0 / count(*) over (partition by person_key, valid_from)
            end as fte_weight
        from posts
    ),

    -- Neighbouring segments that differ in nothing are one again.
    marked as (
        select
            *,
            case
                when
                    lag(valid_to) over same_post = valid_from
                    and lag(fte_weight) over same_post = fte_weight
                    and lag(fte) over same_post = fte
                    and coalesce(lag(location_id) over same_post, '') = coalesce(location_id, '')
                then 0
                else 1
            end as begins_span
        from weighted
        window same_post as (partition by person_key, department_id order by valid_from)
    ),

    numbered as (
        select
            *,
            sum(begins_span) over (
                partition by person_key, department_id order by valid_from
            ) as span_number
        from marked
    ),

    final as (
        select
            person_key,
            department_id,
            location_id,
            fte,
            fte_weight,
            min(valid_from) as valid_from,
            -- NULL is "open-ended" and must win over every date.
            case when count(*) = count(valid_to) then max(valid_to) end as valid_to,
            max(recorded_from) as recorded_from
        from numbered
        group by person_key, department_id, span_number, location_id, fte, fte_weight
    )

select *
from final
