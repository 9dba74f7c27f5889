-- The statistics macros against published answers (Wilson 1927, Newcombe 1998,
-- Jost 2006). A row that comes back names the formula, what it should give and what it gave.
with

    successes as (
        select *
        from (values (3, 4), (0, 5), (0, 0), (16, 20), (9, 15), (1, 1)) as given(successes, n)
    ),

    limits as (
        select
            successes,
            n,
            successes / nullif(cast(n as double), 0) as p,
            {{ wilson("successes", "n", -1) }} as low,
            {{ wilson("successes", "n", 1) }} as high
        from successes
    ),

    newcombe as (
        select
            {{ newcombe("a.p", "a.low", "a.high", "b.p", "b.low", "b.high", -1) }} as low,
            {{ newcombe("a.p", "a.low", "a.high", "b.p", "b.low", "b.high", 1) }} as high
        from limits as a
        cross join limits as b
        where a.n = 20 and b.n = 15
    ),

    shares as (
        select *
        from
            (
                values ('three', 0.5), ('three', 0.3), ('three', 0.2), ('one', 7.0), ('none', 0.0)
            ) as given(case_name, amount)
    ),

    diversity as (
        select case_name, {{ effective_number("amount") }} as effective_departments
        from shares
        group by case_name
    ),

    components as (
        select *
        from
            (
                values
                    ('published', 0.4, 0.25, 1.0, 0.5),
                    ('floor', 0.0, 1.0, 1.0, 1.0),
                    ('missing', null, 0.25, 1.0, 0.5)
            ) as given(case_name, v, c, e, x)
    ),

    indices as (
        select
            case_name,
            {{ innovation_index("v", "c", "e", "x", 0.25, 0.25, 0.25, 0.25) }} as index_value
        from components
    ),

    exploration as (
        select *
        from (values (0.0), (0.05), (0.1), (0.2), (0.3), (0.65), (1.0)) as given(effort_share)
    ),

    scores as (
        select effort_share, {{ band_score("effort_share", 0.1, 0.3) }} as score from exploration
    ),

    answers as (
        select 'wilson 3/4 low' as formula, 0.3006 as expected, low as actual
        from limits
        where n = 4
        union all
        select 'wilson 3/4 high', 0.9544, high
        from limits
        where n = 4
        union all
        select 'wilson 0/5 low', 0.0, low
        from limits
        where n = 5
        union all
        select 'wilson 0/5 high', 0.4345, high
        from limits
        where n = 5
        union all
        select 'wilson 1/1 high', 1.0, high
        from limits
        where n = 1
        union all
        select 'wilson 0/0 low', null, low
        from limits
        where n = 0
        union all
        select 'wilson 0/0 high', null, high
        from limits
        where n = 0
        union all
        select 'newcombe low', -0.0956, low
        from newcombe
        union all
        select 'newcombe high', 0.4703, high
        from newcombe
        union all
        select 'effective departments of .5 .3 .2', 2.6316, effective_departments
        from diversity
        where case_name = 'three'
        union all
        select 'effective departments of one', 1.0, effective_departments
        from diversity
        where case_name = 'one'
        union all
        select 'effective departments of none', null, effective_departments
        from diversity
        where case_name = 'none'
        union all
        select 'innovation index', 47.287, index_value
        from indices
        where case_name = 'published'
        union all
        select 'innovation index, floored', 31.6228, index_value
        from indices
        where case_name = 'floor'
        union all
        select 'innovation index, missing', null, index_value
        from indices
        where case_name = 'missing'
        union all
        select 'band score at 0', 0.0, score
        from scores
        where effort_share = 0.0
        union all
        select 'band score at .05', 0.5, score
        from scores
        where effort_share = 0.05
        union all
        select 'band score at .2', 1.0, score
        from scores
        where effort_share = 0.2
        union all
        select 'band score at .65', 0.5, score
        from scores
        where effort_share = 0.65
        union all
        select 'band score at 1', 0.0, score
        from scores
        where effort_share = 1.0
    )

select formula, expected, actual
from answers
where (expected is null) <> (actual is null) or abs(expected - actual) > 0.0001
union all
-- The comparison itself: a list that came out empty would prove nothing.
select 'number of answers', 20, count(*)
from answers
having count(*) <> 20
