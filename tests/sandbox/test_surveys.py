"""The surveys of the sandbox: planted moods show in the answers, and silence is not random."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sandbox.calendars import END, START
from sandbox.simulation import surveys
from sandbox.simulation.surveys import engagement
from sandbox.simulation.surveys.responses import answering_chance
from sandbox.spec import Effects, Spec
from tests.support.hidden_company import LEFT_ON, with_market

if TYPE_CHECKING:
    import duckdb

    from sandbox.world import World

IS_GOOD = "score >= case instrument when 'csat' then 4 else 9 end"
IS_BAD = "score <= case instrument when 'csat' then 3 else 6 end"
HIDDEN_SURVEY = "select * exclude (responded_at) from hidden.survey order by survey_id"
HIDDEN_ENGAGEMENT = (
    "select * exclude (responded_on) from hidden.engagement order by cast(response_id as bigint)"
)


@pytest.fixture(scope="module")
def small() -> duckdb.DuckDBPyConnection:
    """A small company by hand whose systems miss things."""
    return with_market(Spec.of("small"))


@pytest.fixture(scope="module")
def small_clean() -> duckdb.DuckDBPyConnection:
    """The same company where everybody answers."""
    return with_market(Spec.of("small", profile="clean"))


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """The only row of a query; its only value where it has one."""
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def test_every_survey_and_every_question_has_a_number_of_its_own(world: World) -> None:
    for table, key in (("survey", "survey_id"), ("engagement", "response_id")):
        count, distinct = one(
            world.connection, f"select count(*), count(distinct {key}) from hidden.{table}"
        )
        assert count == distinct > 200
    pairs = "select count(*), count(distinct (wave, person_id)) from hidden.engagement"
    assert len(set(one(world.connection, pairs))) == 1


def test_answers_keep_within_their_scales(world: World) -> None:
    rows = world.connection.execute(
        "select distinct instrument, scale_max, score from hidden.survey"
    ).fetchall()
    assert {row[:2] for row in rows} == {("csat", 5), ("nps", 10)}
    assert {score for kind, _, score in rows if kind == "csat"} <= set(range(1, 6))
    assert {score for kind, _, score in rows if kind == "nps"} <= set(range(11))
    answers = world.connection.execute("select distinct wave, score from hidden.engagement")
    found = answers.fetchall()
    assert {wave for wave, _ in found} == {"2024-10", "2025-04", "2025-10", "2026-04"}
    assert {score for _, score in found} == {1, 2, 3, 4, 5}


def test_the_tiny_company_gets_answers_enough(world: World) -> None:
    answered = dict(
        world.connection.execute(
            f"""
            select instrument, count(*) from hidden.survey
            where responded_at < timestamp '{END}' group by instrument
            """
        ).fetchall()
    )
    assert answered["csat"] == pytest.approx(440, abs=40)
    assert answered["nps"] == pytest.approx(260, abs=35)


def test_surveys_are_sent_in_the_simulated_years_and_answered_later(world: World) -> None:
    first, last, earliest, longest = one(
        world.connection,
        """
        select min(sent_at), max(sent_at), min(responded_at - sent_at), max(responded_at - sent_at)
        from hidden.survey
        """,
    )
    assert first.date() >= START
    assert last.date() < END
    assert earliest.total_seconds() >= 60
    assert longest.days < 14


def test_surveys_after_a_ticket_ask_its_customer_once_it_is_closed(world: World) -> None:
    count, same_customer, later, instruments = one(
        world.connection,
        """
        select
            count(*), bool_and(survey.customer_id = ticket.customer_id),
            bool_and(sent_at > closed_at), max(instrument)
        from hidden.survey join hidden.ticket using (ticket_id)
        """,
    )
    assert count > 200
    assert same_customer is later is True
    assert instruments == "csat"
    repeated = "select count(ticket_id) - count(distinct ticket_id) from hidden.survey"
    assert one(world.connection, repeated) == 0


def test_nps_is_asked_twice_a_year(world: World) -> None:
    months = world.connection.execute(
        """
        select distinct strftime(sent_at, '%Y-%m') from hidden.survey
        where instrument = 'nps' order by all
        """
    ).fetchall()
    assert {month[:7] for (month,) in months} == {
        *("2024-09", "2024-10", "2025-03", "2025-04"),
        *("2025-09", "2025-10", "2026-03", "2026-04"),
    }


def test_a_customer_is_touched_by_what_both_sides_share(world: World) -> None:
    """Worked out anew, from the true effort itself."""
    touched = """
        with
            given as (
                select initiative_issue_id as issue_id, function, sum(seconds * share) as seconds
                from hidden.effort
                join hidden.issue using (issue_id)
                join hidden.post
                    on post.person_id = effort.person_id and from_date <= work_date
                    and coalesce(to_date > work_date, true)
                join (select distinct department_id, function from hidden.department)
                    using (department_id)
                group by all
            ),
            share as (
                select
                    issue_id,
                    sum(seconds) filter (where function = 'it') / sum(seconds) as it,
                    sum(seconds) filter (where function = 'customer_facing') / sum(seconds)
                        as customers
                from given group by issue_id
            )
        select customer_id, min(available_at) as touched_at
        from hidden.initiative_customer
        join hidden.initiative using (issue_id)
        join share using (issue_id)
        where it >= 0.1 and customers >= 0.1
        group by customer_id
    """
    wrong, touched_n = one(
        world.connection,
        f"""
        select
            count(*) filter (
                where is_touched is distinct from coalesce(touched_at <= sent_at, false)
            ),
            count(*) filter (where is_touched)
        from hidden.survey left join ({touched}) using (customer_id)
        """,
    )
    assert wrong == 0
    assert touched_n > 100


@pytest.mark.parametrize("instrument", ["csat", "nps"])
def test_planted_chances_are_calibrated(
    small_clean: duckdb.DuckDBPyConnection, instrument: str
) -> None:
    for is_touched in (False, True):
        count, good, expected, variance = one(
            small_clean,
            f"""
            select
                count(*), avg(cast({IS_GOOD} as int)), avg(p_good), sum(p_good * (1 - p_good))
            from hidden.survey where instrument = '{instrument}' and is_touched = {is_touched}
            """,
        )
        assert count > 400
        assert abs(good - expected) * count < 3 * variance**0.5
        bad, expected, variance = one(
            small_clean,
            f"""
            select sum(cast({IS_BAD} as int)), sum(p_bad), sum(p_bad * (1 - p_bad))
            from hidden.survey where instrument = '{instrument}' and is_touched = {is_touched}
            """,
        )
        assert abs(bad - expected) < 3 * variance**0.5


def test_a_chance_that_forgets_the_touch_would_be_noticed(
    small_clean: duckdb.DuckDBPyConnection,
) -> None:
    count, good, expected, variance = one(
        small_clean,
        f"""
        select count(*), avg(cast({IS_GOOD} as int)), avg(p_good) - 0.1, sum(p_good * (1 - p_good))
        from hidden.survey where is_touched
        """,
    )
    assert abs(good - expected) * count > 3 * variance**0.5


def _mood_effects(connection: duckdb.DuckDBPyConnection) -> tuple[Any, Any]:
    """Least squares of the score, in standard deviations of mood, on what was planted.

    Returns coefficients and standard errors of (drift over the two years, touch).
    """
    rows = connection.sql(
        f"""
        select
            (score - 7.6) / 1.7 - charm as mood, cast(is_touched as int) as is_touched,
            datediff('second', timestamp '{START}', sent_at) / (86400.0 * 730) as years
        from hidden.survey join hidden.customer using (customer_id)
        where instrument = 'nps' order by survey_id
        """
    ).fetchnumpy()
    design = np.stack([np.ones(len(rows["mood"])), rows["years"], rows["is_touched"]], axis=1)
    inverse = np.linalg.inv(design.T @ design)
    found = inverse @ design.T @ rows["mood"]
    residual = rows["mood"] - design @ found
    errors = np.sqrt(np.diag(inverse) * residual.var())
    return found[1:], errors[1:]


def test_satisfaction_rises_as_planted() -> None:
    calm = Effects(satisfaction_drift=0.0, joint_effort_lift=0.0)
    for effects in (Effects(), calm):
        spec = replace(Spec.of("small", profile="clean"), effects=effects)
        connection = with_market(spec)
        (drift, touch), errors = _mood_effects(connection)
        # A mood that is beyond the scale already shows no rise.
        within = one(
            connection,
            "select avg(cast(score < 10 as int)) from hidden.survey where instrument = 'nps'",
        )
        assert abs(drift - within * effects.satisfaction_drift) < 3 * errors[0]
        assert abs(touch - within * effects.joint_effort_lift) < 3 * errors[1]
        is_seen = drift > 2 * errors[0] and touch > 4 * errors[1]
        assert bool(is_seen) is (effects is not calm)


def test_a_company_without_an_effect_has_other_scores_for_touched_customers_only(
    small_clean: duckdb.DuckDBPyConnection,
) -> None:
    spec = replace(Spec.of("small", profile="clean"), effects=Effects(joint_effort_lift=0.0))
    without = with_market(spec)
    sql = "select survey_id, is_touched, score from hidden.survey order by survey_id"
    pairs = list(
        zip(small_clean.execute(sql).fetchall(), without.execute(sql).fetchall(), strict=True)
    )
    assert all(one == other for one, other in pairs if not one[1])
    lifted = [one[2] - other[2] for one, other in pairs if one[1]]
    assert min(lifted) == 0
    assert np.mean(lifted) > 0.3


def test_the_answers_exist_whatever_systems_see(
    small: duckdb.DuckDBPyConnection, small_clean: duckdb.DuckDBPyConnection
) -> None:
    for sql in (HIDDEN_SURVEY, HIDDEN_ENGAGEMENT):
        assert small.execute(sql).fetchall() == small_clean.execute(sql).fetchall()


def test_profiles_of_a_whole_company_share_its_answers(world: World, clean_world: World) -> None:
    for sql in (HIDDEN_SURVEY, HIDDEN_ENGAGEMENT):
        messy, clean = (w.connection.execute(sql).fetchall() for w in (world, clean_world))
        assert messy == clean


def test_unhappy_customers_keep_silent_in_messy_and_nobody_in_clean(
    small: duckdb.DuckDBPyConnection, small_clean: duckdb.DuckDBPyConnection
) -> None:
    rate, good, good_among_answers = one(
        small,
        f"""
        select
            avg(cast(responded_at is not null as int)), avg(cast({IS_GOOD} as int)),
            avg(cast({IS_GOOD} as int)) filter (where responded_at is not null)
        from hidden.survey
        """,
    )
    assert rate == pytest.approx(Spec().profile.response_rate, abs=0.02)
    assert good_among_answers - good > 0.05
    silent = "select count(*) - count(responded_at) from hidden.survey"
    assert one(small_clean, silent) == 0


def test_discontented_colleagues_keep_silent_in_messy_and_nobody_in_clean(
    small: duckdb.DuckDBPyConnection, small_clean: duckdb.DuckDBPyConnection
) -> None:
    rate, mean, mean_of_answers = one(
        small,
        """
        select
            avg(cast(responded_on is not null as int)), avg(score),
            avg(score) filter (where responded_on is not null)
        from hidden.engagement
        """,
    )
    planned = 1 - (1 - Spec().profile.response_rate) * engagement.RELUCTANCE
    assert rate == pytest.approx(planned, abs=0.05)
    assert mean_of_answers - mean > 0.03
    assert one(small_clean, "select count(*) - count(responded_on) from hidden.engagement") == 0


def test_chances_to_answer_have_the_mean_that_was_asked_for() -> None:
    eagerness = np.random.default_rng(1).normal(0.3, 1.2, 5_000)
    chance = answering_chance(0.55, eagerness)
    assert chance.mean() == pytest.approx(0.55, abs=1e-9)
    order = np.argsort(eagerness)
    assert (np.diff(chance[order]) >= 0).all()
    assert (answering_chance(1.0, eagerness) == 1).all()
    log_odds = np.log(chance / (1 - chance))
    assert np.ptp(log_odds - eagerness) < 1e-9


def test_chances_of_good_answers_are_normal_probabilities() -> None:
    expected = np.array([0.0, -0.5, 2.0])
    score, scale_max, p_good, p_bad = surveys._scores("csat", expected, expected)
    assert score.tolist() == [4, 4, 5]
    assert scale_max.tolist() == [5, 5, 5]
    # Good from mood (3.5 - 3.95) / 0.85 = -0.5294 on.
    assert p_good == pytest.approx([0.701741, 0.511730, 0.994287], abs=1e-5)
    assert p_good + p_bad == pytest.approx([1.0, 1.0, 1.0])
    # An nps detractor gives 6 or less: mood below (6.5 - 7.6) / 1.7 = -0.6471.
    p_bad = surveys._scores("nps", expected, expected)[3]
    assert p_bad == pytest.approx([0.258796, 0.441538, 0.004054], abs=1e-4)


def test_every_employee_of_the_day_is_asked(small: duckdb.DuckDBPyConnection) -> None:
    asked = dict(
        small.execute("select wave, count(*) from hidden.engagement group by wave").fetchall()
    )
    # Four teams of forty; one of ten people left.
    assert LEFT_ON == "2025-09-01"
    assert asked == {"2024-10": 160, "2025-04": 160, "2025-10": 144, "2026-04": 144}


def test_people_who_share_work_are_more_engaged() -> None:
    connection = with_market(Spec.of("small"))
    rows = connection.execute(
        """
        select person_id, wave, expected_score from hidden.engagement
        where expected_score > 3.7 order by all
        """
    ).fetchall()
    # Of the company by hand only these three work at all; IT's also shares with the others.
    assert {person for person, _, _ in rows} == {1001, 1041, 1121}
    assert {round(score, 9) for _, _, score in rows} == {4.0}
    assert len(rows) == 12


def test_work_of_one_department_alone_does_not_engage() -> None:
    connection = with_market(Spec.of("small"))
    connection.execute("delete from hidden.initiative_effort where department_id <> '11'")
    connection.execute("delete from hidden.engagement")
    engagement.simulate(connection, Spec.of("small"))
    rows = connection.execute(
        "select distinct person_id from hidden.engagement where expected_score > 3.7 order by all"
    ).fetchall()
    assert rows == [(1041,), (1121,)]


def test_engagement_scores_have_their_expected_mean(clean_world: World) -> None:
    spec = Spec.of("small", profile="clean")
    spec = replace(spec, effects=Effects(engagement_of_collaborators=1.0))
    for connection in (with_market(spec), clean_world.connection):
        count, mean, expected = one(
            connection, "select count(*), avg(score), avg(expected_score) from hidden.engagement"
        )
        # A binomial answer of this kind has a standard deviation below 1.
        assert abs(mean - expected) < 3 / count**0.5


def test_the_same_seed_gives_the_same_answers(small: duckdb.DuckDBPyConnection) -> None:
    again, other = (with_market(Spec.of("small", seed=seed)) for seed in (7, 8))
    for table in ("survey", "engagement"):
        sql = f"select * from hidden.{table} order by rowid"
        assert again.execute(sql).fetchall() == small.execute(sql).fetchall()
        assert other.execute(sql).fetchall() != small.execute(sql).fetchall()
