with

    contributions as (select * from {{ ref("fct_contribution") }} where effort_days > 0),

    departments as (select * from {{ ref("dim_department") }}),

    -- What a department was for on the day of the work. Where its dated rows overlap, the one that
    -- began last stands.
    department_functions as (
        select
            worked.department_id,
            worked.work_date,
            departments."function" as department_function,
            row_number() over (
                partition by worked.department_id, worked.work_date
                order by departments.valid_from desc nulls last, departments."function"
            ) as function_rank
        from (select distinct department_id, work_date from contributions) as worked
        inner join
            departments
            on departments.department_id = worked.department_id
            and (departments.valid_from is null or departments.valid_from <= worked.work_date)
            and (departments.valid_to is null or departments.valid_to > worked.work_date)
    ),

    decisions as (select * from {{ ref("int_initiatives__decisions") }}),

    -- Who took part is judged up to a cut-off date: the decision, and the landmark soon after the
    -- start. What is learnt after the cut-off must not decide into which group an initiative falls.
    cutoffs as (
        select initiative_id, 'decision' as cutoff, coalesce(decided_on, as_of_date) as cutoff_on
        from decisions
        union all
        select initiative_id, 'landmark', landmark_on
        from decisions
        where landmark_on is not null
    ),

    by_department as (
        select
            cutoffs.initiative_id,
            cutoffs.cutoff,
            contributions.department_id,
            sum(contributions.effort_days) as effort_days,
            bool_or(department_functions.department_function = 'it') as is_it,
            bool_or(department_functions.department_function not in ('it', 'Unknown')) as is_other
        from cutoffs
        inner join
            contributions
            on contributions.initiative_id = cutoffs.initiative_id
            and contributions.work_date <= cutoffs.cutoff_on
        left join
            department_functions
            on department_functions.department_id = contributions.department_id
            and department_functions.work_date = contributions.work_date
            and department_functions.function_rank = 1
        group by cutoffs.initiative_id, cutoffs.cutoff, contributions.department_id
    ),

    people as (
        select
            cutoffs.initiative_id,
            cutoffs.cutoff,
            cast(count(distinct contributions.person_key) as integer) as people_n
        from cutoffs
        inner join
            contributions
            on contributions.initiative_id = cutoffs.initiative_id
            and contributions.work_date <= cutoffs.cutoff_on
        group by cutoffs.initiative_id, cutoffs.cutoff
    ),

    -- Effort of unknown department stays in the totals but is no department of its own.
    ranked as (
        select
            *,
            row_number() over (
                partition by initiative_id, cutoff order by effort_days desc, department_id
            ) as department_rank
        from by_department
        where department_id <> 'Unknown'
    ),

    attributed as (
        select
            initiative_id,
            cutoff,
            sum(effort_days) as attributed_days,
            {{ effective_number("effort_days") }} as effective_departments,
            coalesce(max(case when department_rank = 2 then effort_days end), 0.0)
            / sum(effort_days) as second_share,
            -- Two departments, not one that changed its function; an unknown function is nobody's.
            bool_or(is_it)
            and bool_or(is_other)
            and count(case when is_it or is_other then 1 end) > 1 as is_it_with_others
        from ranked
        group by initiative_id, cutoff
    ),

    totals as (
        select initiative_id, cutoff, sum(effort_days) as effort_days
        from by_department
        group by initiative_id, cutoff
    ),

    final as (
        select
            totals.initiative_id,
            totals.cutoff,
            totals.effort_days,
            coalesce(attributed.attributed_days, 0.0) as attributed_days,
            attributed.effective_departments,
            attributed.second_share,
            people.people_n,
            coalesce(attributed.is_it_with_others, false) as is_it_with_others,
            coalesce(
                attributed.effective_departments
                >= {{ metric_parameter("min_effective_departments") }}
                and attributed.second_share >= {{ metric_parameter("min_second_share") }}
                and people.people_n >= {{ metric_parameter("min_people_cross") }},
                false
            ) as is_cross_departmental
        from totals
        left join
            attributed
            on attributed.initiative_id = totals.initiative_id
            and attributed.cutoff = totals.cutoff
        left join
            people on people.initiative_id = totals.initiative_id and people.cutoff = totals.cutoff
    )

select *
from final
