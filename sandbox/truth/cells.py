"""From single records to the cells of the scorecard.

What belongs here: truth.part, the evidence that shares are summed from, and its sums by period,
department and objective. What does not: which records count for which metric.
"""

from __future__ import annotations

from sandbox.truth.seen import Seen


def prepare(seen: Seen) -> None:
    """Make the empty tables.

    A part is one record's contribution to a metric on a day:

    `scope` says for which rows it counts: ALL (the company), department, or objective; there the
    weights of a record sum to 1. planted_numerator / planted_denominator: what the planted
    chances let expect; null: nothing is planted for the record.
    """
    seen.run("""
        create table truth.part (
            metric_id text, scope text, department_id text, objective_id text, record_id text,
            happened_on date, weight double, numerator double, denominator double,
            planted_numerator double, planted_denominator double, undetermined integer
        );
        create table truth.metric_kind (metric_id text, factor double, note text);
        create table truth.metric (
            metric_id text, department_id text, objective_id text, period_grain text,
            period_start date, realised_value double, numerator double, denominator double,
            n bigint, undetermined_n bigint, parameter_value double, parameter_note text
        );
    """)


def declare(seen: Seen, metric_id: str, *, factor: float = 1.0, note: str | None = None) -> None:
    """A metric that is a ratio of sums, times `factor`.

    `note` says what its parameter is, or why there is none.
    """
    text = "null" if note is None else "'" + note.replace("'", "''") + "'"
    seen.run(f"insert into truth.metric_kind values ('{metric_id}', {factor}, {text})")


def sum_up(seen: Seen) -> None:
    """Fill truth.metric with every declared metric.

    The company has a row in every period, whether or not anything happened; departments and
    objectives have trailing windows.
    """
    seen.run("""
        create temp table cell_frame as
        with
            frames as (
                select distinct metric_id, scope, department_id, objective_id from truth.part
                where scope <> 'ALL'
                union
                select metric_id, 'ALL', 'ALL', 'ALL' from truth.metric_kind
                union
                select metric_id, 'department', top_department_id, 'ALL'
                from (select distinct metric_id from truth.part where scope = 'department'),
                    (select distinct top_department_id from truth.department)
            )
        select frames.*, period_grain, period_start, period_end
        from frames cross join truth.period
        where (scope = 'ALL' or period_grain = 'trailing_12m')
            and (is_innovation_window or not starts_with(metric_id, 'innovation_index'));

        create temp table month_sum as
        select
            metric_id, scope, department_id, objective_id, record_id,
            cast(date_trunc('month', happened_on) as date) as month_start,
            sum(weight * numerator) as numerator, sum(weight * denominator) as denominator,
            sum(weight * planted_numerator) as planted_numerator,
            sum(case when planted_numerator is not null then weight * planted_denominator end)
                as planted_denominator,
            max(undetermined) as undetermined
        from truth.part group by all;

        create temp table period_sum as
        select
            metric_id, scope, department_id, objective_id, period_grain, period_start,
            sum(numerator) as numerator, sum(denominator) as denominator,
            sum(planted_numerator) as planted_numerator,
            sum(planted_denominator) as planted_denominator,
            count(distinct case when denominator <> 0 then record_id end) as n,
            count(distinct case when undetermined > 0 then record_id end) as undetermined_n
        from month_sum
        inner join (
            select
                period_grain, period_start,
                cast(unnest(generate_series(
                    cast(period_start as timestamp), period_end - interval 1 month, interval 1 month
                )) as date) as month_start
            from truth.period
        ) as months on months.month_start = month_sum.month_start
        where scope = 'ALL' or period_grain = 'trailing_12m'
        group by all;

        insert into truth.metric
        select
            cell_frame.metric_id, cell_frame.department_id, cell_frame.objective_id,
            cell_frame.period_grain, cell_frame.period_start,
            factor * numerator / nullif(denominator, 0),
            coalesce(numerator, 0), coalesce(denominator, 0), coalesce(n, 0),
            coalesce(undetermined_n, 0),
            factor * planted_numerator / nullif(planted_denominator, 0),
            case
                when planted_numerator is null and denominator is null
                then 'no record in the period'
                else note
            end
        from cell_frame
        inner join truth.metric_kind on metric_kind.metric_id = cell_frame.metric_id
        left join period_sum
            on period_sum.metric_id = cell_frame.metric_id
            and period_sum.scope = cell_frame.scope
            and period_sum.department_id = cell_frame.department_id
            and period_sum.objective_id = cell_frame.objective_id
            and period_sum.period_grain = cell_frame.period_grain
            and period_sum.period_start = cell_frame.period_start;
        drop table period_sum;
        drop table month_sum;
        drop table cell_frame;
    """)
