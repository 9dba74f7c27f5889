"""Time to market: how long initiatives take until customers have them.

What belongs here: who is watched from when to when, and the rows of the metric. What does not:
the arithmetic of survival (`survival`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandbox.truth.definitions import RESTRICTED_MEAN_DAYS, WHOLE_SHARE
from sandbox.truth.seen import Seen
from sandbox.truth.survival import Flags, Floats, Planted, cumulative_incidence, kaplan_meier

OPEN, DELIVERED, CANCELLED = 0, 1, 2
_STUCK_OF_FAILED = 0.25
_NOTES = {
    "time_to_market": "median of the mixture of planted log-normals, if not cancelled; what is "
    "stuck never arrives",
    "time_to_market.from_idea": "nothing planted: the wait for approval is no effect",
    "time_to_market.cumulative_incidence": f"planted chance of delivery within "
    f"{RESTRICTED_MEAN_DAYS} days, cancelled ones included",
    "time_to_market.restricted_mean": f"mean of the planted mixture cut at {RESTRICTED_MEAN_DAYS} "
    "days; only where the whole cohort could be watched so long",
    "time_to_market.reopened_share": "nothing planted: one of nine is taken back by turns",
}


@dataclass(frozen=True)
class _Watched:
    """Initiatives of all cells: `starts[i]:starts[i + 1]` are those of cell i."""

    starts: npt.NDArray[np.int64]
    days: Floats
    end: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]

    @property
    def cells(self) -> int:
        """How many cells there are, empty ones included."""
        return len(self.starts) - 1

    def rows(self, cell: int) -> slice:
        return slice(int(self.starts[cell]), int(self.starts[cell + 1]))


def build(seen: Seen) -> None:
    """Rows of time_to_market.* in truth.metric."""
    _belongings(seen)
    _watch(seen)
    kinds = _kinds(seen)
    for clock in ("time_to_market", "time_to_market.from_idea"):
        _score(seen, clock, _watched(seen, clock), kinds)
    _reopened(seen)


def _belongings(seen: Seen) -> None:
    """Make truth.whole: to whom an initiative belongs.

    Whole to the company, to each department with a tenth of its effort, and to each objective
    that it serves when it is decided.
    """
    seen.run(f"""
        create table truth.whole as
        select issue_id, 'ALL' as department_id, 'ALL' as objective_id from truth.initiative
        union all
        select issue_id, coalesce(share.department_id, 'Unknown'), 'ALL'
        from truth.initiative left join truth.share using (issue_id)
        where coalesce(share.weight, 1) >= {WHOLE_SHARE}
        union all
        select issue_id, 'ALL', coalesce(serves.objective_id, 'Unknown')
        from truth.initiative left join truth.serves
            on serves.initiative_issue_id = initiative.issue_id
            and serves.from_date <= coalesce(decided_on, {seen.day} - 1)
            and serves.to_date > coalesce(decided_on, {seen.day} - 1);
    """)


def _watch(seen: Seen) -> None:
    """truth.waiting: one row per clock and initiative, with the days and how they ended."""
    seen.run(f"""
        create table truth.planted_kind as
        select
            planted_median_days, planted_spread, p_delivered,
            row_number() over (order by planted_median_days, planted_spread, p_delivered) - 1
                as kind
        from (
            select distinct planted_median_days, planted_spread, p_delivered
            from truth.initiative where p_delivered is not null
        );
        create table truth.waiting as
        select
            clock, issue_id, truth.company_day(begun_at) as begun_on,
            epoch(coalesce(available_at, cancelled_at, {seen.instant}) - begun_at) / 86400.0
                as days,
            case
                when available_at is not null then {DELIVERED}
                when cancelled_at is not null then {CANCELLED} else {OPEN}
            end as ended,
            coalesce(kind, -1) as kind
        from (
            select *, unnest(['time_to_market', 'time_to_market.from_idea']) as clock,
                unnest([approved_at, idea_at]) as begun_at
            from truth.initiative
        ) left join truth.planted_kind using (planted_median_days, planted_spread, p_delivered)
        where begun_at is not null;
        create table truth.waiting_frame as
        select
            *, row_number() over (
                order by department_id, objective_id, period_grain, period_start
            ) - 1 as cell
        from (
            select 'ALL' as department_id, 'ALL' as objective_id, period_grain, period_start,
                period_end
            from truth.period
            union
            select department_id, objective_id, period_grain, period_start, period_end
            from truth.period, truth.whole where period_grain = 'trailing_12m'
        )
    """)


def _kinds(seen: Seen) -> tuple[Planted, Floats]:
    """The planted kinds, with the chance to arrive if not cancelled; and the plain chance."""
    found = seen.connection.sql("from truth.planted_kind order by kind").fetchnumpy()
    delivered = np.asarray(found["p_delivered"], dtype=np.float64)
    arrives = delivered / (delivered + (1 - delivered) * _STUCK_OF_FAILED)
    return (
        Planted(
            np.asarray(found["planted_median_days"], dtype=np.float64),
            np.asarray(found["planted_spread"], dtype=np.float64),
            arrives,
        ),
        delivered,
    )


def _watched(seen: Seen, clock: str) -> _Watched:
    found = seen.connection.sql(f"""
        select frame.cell, waiting.days, waiting.ended, waiting.kind
        from truth.waiting_frame as frame
        inner join truth.whole
            on whole.department_id = frame.department_id and whole.objective_id = frame.objective_id
        inner join truth.waiting
            on waiting.issue_id = whole.issue_id and waiting.clock = '{clock}'
            and waiting.begun_on >= frame.period_start and waiting.begun_on < frame.period_end
        order by frame.cell, waiting.issue_id
    """).fetchnumpy()
    row = seen.connection.sql("select count(*) from truth.waiting_frame").fetchone()
    assert row
    return _Watched(
        np.searchsorted(np.asarray(found["cell"]), np.arange(int(row[0]) + 1)),
        np.asarray(found["days"], dtype=np.float64),
        np.asarray(found["ended"]).astype(np.int64),
        np.asarray(found["kind"]).astype(np.int64),
    )


def _score(seen: Seen, clock: str, watched: _Watched, kinds: tuple[Planted, Floats]) -> None:
    count = watched.cells
    events, n = np.zeros(count), np.zeros(count)
    realised = {"": np.full(count, np.nan)}
    if clock == "time_to_market":
        realised |= {
            ".cumulative_incidence": np.full(count, np.nan),
            ".restricted_mean": np.full(count, np.nan),
        }
    for cell in range(count):
        rows = watched.rows(cell)
        days, ended = watched.days[rows], watched.end[rows]
        is_event = ended == DELIVERED
        events[cell], n[cell] = is_event.sum(), len(days)
        curve = kaplan_meier(days, is_event)
        realised[""][cell] = curve.median
        if len(realised) > 1:
            realised[".restricted_mean"][cell] = curve.restricted_mean(RESTRICTED_MEAN_DAYS)
            realised[".cumulative_incidence"][cell] = cumulative_incidence(
                days, is_event, ended == CANCELLED, RESTRICTED_MEAN_DAYS
            )
    planted = _planted(watched, *kinds) if clock == "time_to_market" else {}
    if planted:
        # A younger cohort has a mean only where nothing is open any more: the quick ones' mean.
        known = _is_long_watched(seen) & ~np.isnan(realised[".restricted_mean"])
        planted[".restricted_mean"] = np.where(known, planted[".restricted_mean"], np.nan)
    for suffix, values in realised.items():
        _keep(seen, clock + suffix, values, events, n, planted.get(suffix))


def _is_long_watched(seen: Seen) -> Flags:
    """Of each cell: whether its last beginner could be watched for the whole horizon."""
    found = seen.connection.sql(f"""
        select period_end + {RESTRICTED_MEAN_DAYS} <= {seen.day} as is_long
        from truth.waiting_frame order by cell
    """).fetchnumpy()
    return np.asarray(found["is_long"], dtype=np.bool_)


def _planted(watched: _Watched, kinds: Planted, delivered: Floats) -> dict[str, Floats]:
    """Parameters of each cell: of the mixture of its members' planted durations."""
    weights = np.zeros((watched.cells, len(delivered)))
    cell = np.repeat(np.arange(watched.cells), np.diff(watched.starts))
    known = watched.kind >= 0
    np.add.at(weights, (cell[known], watched.kind[known]), 1.0)
    with np.errstate(invalid="ignore"):
        horizon = np.array([float(RESTRICTED_MEAN_DAYS)])
        within = Planted(kinds.median, kinds.spread, delivered).reached(horizon)[0]
        return {
            "": kinds.mixed_median(weights),
            ".restricted_mean": kinds.mixed_restricted_mean(weights, RESTRICTED_MEAN_DAYS),
            ".cumulative_incidence": (weights @ within) / weights.sum(axis=1),
        }


def _keep(
    seen: Seen,
    metric_id: str,
    values: Floats,
    events: Floats,
    n: Floats,
    parameter: Floats | None,
) -> None:
    note = _NOTES[metric_id].replace("'", "''")
    scored = {
        "cell": np.arange(len(n)),
        "realised_value": values,
        "numerator": events,
        "denominator": n,
        "parameter_value": np.full(len(n), np.nan) if parameter is None else parameter,
    }
    seen.connection.register("scored", scored)
    seen.run(f"""
        insert into truth.metric by name
        select
            '{metric_id}' as metric_id, department_id, objective_id, period_grain, period_start,
            if(isnan(realised_value), null, realised_value) as realised_value,
            if(isnan(parameter_value), null, parameter_value) as parameter_value,
            numerator, denominator, cast(denominator as bigint) as n, 0 as undetermined_n,
            case when denominator = 0 then 'no record in the period' else '{note}' end
                as parameter_note
        from scored inner join truth.waiting_frame using (cell)
    """)
    seen.connection.unregister("scored")


def _reopened(seen: Seen) -> None:
    """Of the initiatives of a cohort that ever were released: share taken back too soon."""
    metric_id = "time_to_market.reopened_share"
    seen.run(f"""
        insert into truth.metric by name
        select
            '{metric_id}' as metric_id, frame.department_id, frame.objective_id, period_grain,
            period_start, count(*) filter (where is_taken_back) as numerator,
            count(first_available_at) as denominator, count(first_available_at) as n,
            0 as undetermined_n,
            numerator / nullif(denominator, 0) as realised_value,
            case when n = 0 then 'no record in the period' else '{_NOTES[metric_id]}' end
                as parameter_note
        from truth.waiting_frame as frame
        left join truth.whole
            on whole.department_id = frame.department_id and whole.objective_id = frame.objective_id
        left join (
            select issue_id, is_taken_back, first_available_at,
                truth.company_day(approved_at) as begun_on
            from truth.initiative
        ) as initiative
            on initiative.issue_id = whole.issue_id
            and begun_on >= period_start and begun_on < period_end
        group by frame.department_id, frame.objective_id, period_grain, period_start
    """)
