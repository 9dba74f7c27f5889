"""What HR says of the posts, and when it says so.

What belongs here: HR's rows with their delays and mistakes, which the profile decides. What does
not: the posts themselves (`people`), on which nothing here has an influence.
"""

from __future__ import annotations

import duckdb
import numpy as np

from sandbox.calendars import COMPANY_ZONE
from sandbox.simulation.draws import random_stream
from sandbox.spec import Spec

LATEST = (14, 75)
"""Days, [first, last), after which HR records a move that it records late."""
CORRECTED_FROM = 28
"""Of the moves recorded so many days late or later, half are entered with a wrong date first."""


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill hr_post: the posts as HR tells them, each version with the time in which it is told.

    A row is open until its end is known. Of a move that is recorded late, HR learns weeks after;
    some of those it enters with the day of the entry first, and corrects that later. One move is
    told with an overlap of a month that never happened. Profile clean: none of that.
    """
    connection.execute(_MOVES)
    moves = connection.sql("select post_number from hr_moves order by 1").fetchnumpy()[
        "post_number"
    ]
    rng = random_stream(spec, "hr")
    share = spec.profile.late_hr_rows
    overlapping = moves[: 1 if share else 0]
    drawn = rng.permutation(moves[len(overlapping) :])
    late = np.sort(drawn[: round(share * len(moves))])
    lag = rng.integers(*LATEST, len(late)).astype(float)
    corrected = (lag >= CORRECTED_FROM) & (rng.random(len(late)) < 0.5)
    # One of them in any company, however small.
    lag[:1], corrected[:1] = 60, True
    connection.register(
        "given",
        {
            "post_number": np.concatenate((late, overlapping)),
            "lag": np.concatenate((lag, np.full(len(overlapping), np.nan))),
            "is_corrected": np.concatenate((corrected, np.zeros(len(overlapping), dtype=bool))),
            "overlaps": np.arange(len(late) + len(overlapping)) >= len(late),
        },
    )
    connection.execute(_HR_POSTS)
    connection.unregister("given")
    connection.execute("drop table hr_numbered; drop table hr_moves")


_MOVES = """
create temp table hr_numbered as
select
    post.*,
    row_number() over (
        order by post.from_date, post.person_id, post.share desc, post.department_id
    ) as post_number
from hidden.post
inner join hidden.person on person.person_id = post.person_id
where person.kind = 'employee';

-- A move: the person was in one department and goes on in another one.
create temp table hr_moves as
select post_number, earlier_number
from (
    select
        post_number, share, from_date, department_id,
        lag(post_number) over same_person as earlier_number,
        lag(share) over same_person as earlier_share,
        lag(to_date) over same_person as earlier_to,
        lag(department_id) over same_person as earlier_department
    from hr_numbered
    window same_person as (partition by person_id order by from_date, share desc)
)
where
    share = 1 and earlier_share = 1 and earlier_to = from_date
    and department_id <> earlier_department
"""


def _moment(day: str) -> str:
    """UTC of a day: at its start, or in the morning where somebody entered it by hand."""
    by_hand = f"{day} in (known_on, entered_on, end_known_on, end_entered_on)"
    return (
        f"timezone('{COMPANY_ZONE}', {day}::timestamp + case when {by_hand} then interval 9 hours"
        " else interval 0 hours end) at time zone 'UTC'"
    )


_HR_POSTS = f"""
insert into hidden.hr_post by name
with
    begun as (
        select
            numbered.*, given.overlaps,
            numbered.from_date + (given.lag // 2)::integer as entered_on,
            -- Before the next move, or else HR would tell of that one first.
            case
                when given.lag is not null
                then least(numbered.from_date + given.lag::integer, numbered.to_date - 1)
            end as known_on,
            given.is_corrected
            and numbered.from_date + given.lag::integer
            < coalesce(numbered.to_date, date '9999-01-01') as is_corrected
        from hr_numbered as numbered
        left join given on given.post_number = numbered.post_number
    ),

    told as (
        select
            begun.*, following.known_on as end_known_on,
            coalesce(following.is_corrected, false) as is_end_corrected,
            following.entered_on as end_entered_on,
            case
                when following.overlaps
                then (date_trunc('month', begun.to_date) + interval 1 month)::date
                else begun.to_date
            end as told_to
        from begun
        left join hr_moves on hr_moves.earlier_number = begun.post_number
        left join begun as following on following.post_number = hr_moves.post_number
    ),

    versions as (
        -- First with the day of the entry.
        select
            *, entered_on as told_from, null::date as ends_on,
            entered_on as from_day, known_on as to_day
        from told
        where is_corrected
        union all
        -- Then as long as the end is not known.
        select
            *, from_date, null, coalesce(known_on, from_date),
            case when is_end_corrected then end_entered_on else coalesce(end_known_on, told_to) end
        from told
        union all
        -- Ended on the day on which the next one was entered, wrongly.
        select *, from_date, end_entered_on, end_entered_on, end_known_on
        from told
        where is_end_corrected
        union all
        select *, from_date, told_to, coalesce(end_known_on, told_to), null
        from told
        where told_to is not null
    )

select
    post_number as row_id, person_id, department_id, location_id, fte, share,
    told_from as from_date, ends_on as to_date,
    {_moment("from_day")} as known_from,
    {_moment("to_day")} as known_to
from versions
order by row_id, known_from
"""
