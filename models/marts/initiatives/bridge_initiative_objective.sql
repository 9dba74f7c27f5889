with

    label_spans as (
        select *
        from {{ ref("int_jira__field_spans") }}
        where field = 'labels' and value is not null
    ),

    issues as (select * from {{ ref("int_jira__issues") }} where role = 'initiative'),

    objectives as (select * from {{ ref("objectives") }} where jira_label is not null),

    build as (select * from {{ ref("int_mission__build") }}),

    labelled as (
        select
            label_spans.source_id || ':' || label_spans.issue_id as initiative_id,
            label_spans.value as labels,
            {{ local_date("label_spans.entered_at", "build.timezone") }} as labelled_from,
            {{ local_date("label_spans.exited_at", "build.timezone") }} as labelled_to
        from label_spans
        cross join build
        inner join
            issues
            on issues.source_id = label_spans.source_id
            and issues.issue_id = label_spans.issue_id
    ),

    -- A label links only while its objective is in force.
    intersected as (
        select
            labelled.initiative_id,
            objectives.objective_id,
            case
                when objectives.valid_from > labelled.labelled_from
                then objectives.valid_from
                else labelled.labelled_from
            end as valid_from,
            case
                when labelled.labelled_to is null or objectives.valid_to < labelled.labelled_to
                then objectives.valid_to
                else labelled.labelled_to
            end as valid_to
        from labelled
        inner join objectives on {{ has_word("labelled.labels", "objectives.jira_label") }}
    ),

    -- Labels that came and went within a day never were in force on any date.
    linked as (select * from intersected where valid_to is null or valid_from < valid_to),

    edges as (
        select initiative_id, valid_from as edge_on
        from linked
        union
        select initiative_id, valid_to
        from linked
        where valid_to is not null
    ),

    segments as (
        select
            initiative_id,
            edge_on as valid_from,
            lead(edge_on) over (partition by initiative_id order by edge_on) as valid_to
        from edges
    ),

    -- Two labels of one objective (one renamed, both kept) are still one objective.
    in_force as (
        select distinct
            segments.initiative_id, linked.objective_id, segments.valid_from, segments.valid_to
        from segments
        inner join
            linked
            on linked.initiative_id = segments.initiative_id
            and linked.valid_from <= segments.valid_from
            and (linked.valid_to is null or linked.valid_to > segments.valid_from)
    ),

    weighted as (
        select *, 1.0 / count(*) over (partition by initiative_id, valid_from) as weight
        from in_force
    ),

    -- Neighbouring segments that say the same are one row.
    marked as (
        select
            *,
            case
                when
                    lag(valid_to) over (
                        partition by initiative_id, objective_id, weight order by valid_from
                    )
                    = valid_from
                then 0
                else 1
            end as is_new_row
        from weighted
    ),

    numbered as (
        select
            *,
            sum(is_new_row) over (
                partition by initiative_id, objective_id, weight
                order by valid_from
                rows between unbounded preceding and current row
            ) as row_in_link
        from marked
    ),

    final as (
        select
            initiative_id,
            objective_id,
            weight,
            min(valid_from) as valid_from,
            case when count(valid_to) = count(*) then max(valid_to) end as valid_to
        from numbered
        group by initiative_id, objective_id, weight, row_in_link
    )

select *
from final
