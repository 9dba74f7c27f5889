with

    contributions as (select * from {{ ref("fct_contribution") }} where effort_days > 0),

    departments as (
        select department_id, max("function") as department_function
        from {{ ref("dim_department") }}
        group by department_id
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
            max(departments.department_function) as department_function,
            sum(contributions.effort_days) as effort_days
        from cutoffs
        inner join
            contributions
            on contributions.initiative_id = cutoffs.initiative_id
            and contributions.work_date <= cutoffs.cutoff_on
        left join departments on departments.department_id = contributions.department_id
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
            count(distinct department_function) > 1
            and bool_or(department_function = 'it') as is_it_with_others
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
