with

    decisions as (select * from {{ ref("int_initiatives__decisions") }}),

    initiatives as (select * from {{ ref("dim_initiative") }}),

    shares as (select * from {{ ref("int_initiatives__department_shares") }}),

    scope as (select * from {{ ref("int_initiatives__scope") }}),

    key_results as (
        select distinct source_id || ':' || initiative_key as initiative_reference
        from {{ ref("key_results") }}
        where initiative_key is not null
    ),

    components as (
        select
            decisions.initiative_id,
            initiatives.initiative_key,
            at_decision.effective_departments,
            at_decision.second_share,
            coalesce(at_decision.people_n, 0) as people_n,
            coalesce(at_decision.is_cross_departmental, false) as is_cross_departmental,
            -- Defined only where the initiative was still open at the landmark.
            case
                when decisions.landmark_on < coalesce(decisions.terminal_on, decisions.as_of_date)
                then coalesce(at_landmark.is_cross_departmental, false)
            end as is_cross_at_landmark,
            coalesce(at_decision.is_it_with_others, false) as is_it_with_others,
            decisions.decided_on,
            decisions.decision_reason,
            decisions.is_justified
            and coalesce(
                decisions.decision_reason = 'cancelled', false
            ) as is_justified_cancellation,
            decisions.available_at is not null as is_delivered,
            case
                when decisions.decided_on is not null and decisions.original_limit is not null
                then coalesce(decisions.available_on <= decisions.original_limit, false)
            end as is_on_time_original,
            case
                when decisions.decided_on is not null and decisions.latest_limit is not null
                then coalesce(decisions.available_on <= decisions.latest_limit, false)
            end as is_on_time_latest,
            cast(scope.scope_items_done_n as double)
            / nullif(scope.scope_items_n, 0) as scope_ratio,
            coalesce(scope.scope_growth_n, 0) as scope_growth_n,
            key_results.initiative_reference is not null as has_key_result,
            decisions.baseline_changes_n,
            initiatives.size_class
        from decisions
        inner join initiatives on initiatives.initiative_id = decisions.initiative_id
        left join
            shares as at_decision
            on at_decision.initiative_id = decisions.initiative_id
            and at_decision.cutoff = 'decision'
        left join
            shares as at_landmark
            on at_landmark.initiative_id = decisions.initiative_id
            and at_landmark.cutoff = 'landmark'
        left join scope on scope.initiative_id = decisions.initiative_id
        left join
            key_results
            on key_results.initiative_reference
            = decisions.source_id || ':' || initiatives.initiative_key
        -- An idea that died before anybody approved it was never a project.
        where decisions.approved_at is not null
    ),

    judged as (
        select
            *,
            case
                when scope_ratio is not null
                then scope_ratio >= {{ metric_parameter("scope_threshold") }}
            end as is_scope_met,
            cast(null as boolean) as is_outcome_met
        from components
    ),

    classified as (
        select
            *,
            case
                when decided_on is null
                then 'undecided'
                when is_justified_cancellation
                then 'justified_cancellation'
                when
                    not is_delivered
                    or not coalesce(is_on_time_latest, true)
                    or not coalesce(is_scope_met, true)
                then 'failure'
                -- A key result was promised and nobody measured it yet: neither success nor
                -- failure.
                when has_key_result
                then 'undetermined'
                else 'success'
            end as success_class
        from judged
    ),

    final as (
        select
            initiative_id,
            initiative_key,
            effective_departments,
            second_share,
            people_n,
            is_cross_departmental,
            is_cross_at_landmark,
            is_it_with_others,
            decided_on,
            decision_reason,
            is_delivered,
            is_on_time_original,
            is_on_time_latest,
            scope_ratio,
            scope_growth_n,
            is_scope_met,
            is_outcome_met,
            case success_class when 'success' then true when 'failure' then false end as is_success,
            success_class,
            baseline_changes_n,
            size_class
        from classified
    )

select *
from final
