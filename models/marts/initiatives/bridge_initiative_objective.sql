with

    label_spans as (
        select *
        from {{ ref("int_jira__field_spans") }}
        where field = 'labels' and value is not null
    ),

    issues as (select * from {{ ref("int_jira__issues") }} where role = 'initiative'),

    objective_labels as (
        select distinct objective_id, jira_label
        from {{ ref("objectives") }}
        where jira_label is not null
    ),

    build as (select * from {{ ref("int_mission__build") }}),

    linked as (
        select
            label_spans.source_id || ':' || label_spans.issue_id as initiative_id,
            objective_labels.objective_id,
            {{ local_date("label_spans.entered_at", "build.timezone") }} as valid_from,
            {{ local_date("label_spans.exited_at", "build.timezone") }} as valid_to
        from label_spans
        cross join build
        inner join
            issues
            on issues.source_id = label_spans.source_id
            and issues.issue_id = label_spans.issue_id
        inner join
            objective_labels
            on ' ' || label_spans.value || ' ' like '% ' || objective_labels.jira_label || ' %'
    ),

    -- Labels that came and went within a day never were in force on any date.
    final as (
        select
            initiative_id,
            objective_id,
            1.0 / count(*) over (partition by initiative_id, valid_from) as weight,
            valid_from,
            valid_to
        from linked
        where valid_to is null or valid_from < valid_to
    )

select *
from final
