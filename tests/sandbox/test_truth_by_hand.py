"""Truth of a company of three people whose facts are written down one by one.

The known answers of METRICS.md section 3 that are no intervals, and every reading of what success,
an end, an approval or a release is.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from company_by_hand import Hand

from sandbox.calendars import END
from sandbox.truth import effort, initiatives, metrics, people, periods
from sandbox.truth.innovation import band_score, index_value
from sandbox.truth.seen import Seen, open_eyes
from sandbox.truth.survival import Planted, cumulative_incidence, kaplan_meier

DAYS = np.array([10.0, 20, 30, 40, 50, 60])
ENDS = np.array([True, True, False, True, False, True])
RELEASED = date(2025, 3, 3)
DUE = date(2025, 3, 10)


def value(
    hand: Hand, metric_id: str, grain: str = "trailing_12m", start: str = "2025-01-01"
) -> Any:
    metrics(hand.world())
    found = hand.connection.execute(f"""
        select realised_value, numerator, denominator, n, parameter_value from truth.metric
        where metric_id = '{metric_id}' and department_id = 'ALL' and objective_id = 'ALL'
            and period_grain = '{grain}' and period_start = '{start}'
    """).fetchone()
    assert found
    return found


def judged(hand: Hand, issue: int) -> dict[str, Any]:
    """One initiative, without the metrics that follow."""
    seen = Seen(hand.connection, END)
    for build in (open_eyes, periods.build, people.build, effort.build, initiatives.build):
        build(seen)
    relation = hand.connection.sql(f"from truth.initiative where issue_id = {issue}")
    row = relation.fetchone()
    assert row
    return dict(zip(relation.columns, row, strict=True))


# -- known answers ----------------------------------------------------------------------------


def test_kaplan_meier_of_the_contract() -> None:
    curve = kaplan_meier(DAYS, ENDS)
    assert curve.days.tolist() == [10, 20, 40, 60]
    assert curve.survival == pytest.approx([0.8333, 0.6667, 0.4444, 0], abs=5e-5)
    assert curve.median == 40
    assert np.median(DAYS[ENDS]) == 30  # the closed ones alone mislead


def test_an_event_comes_before_a_censoring_at_the_same_time() -> None:
    curve = kaplan_meier(np.array([10.0, 10.0]), np.array([False, True]))
    assert curve.survival.tolist() == [0.5]
    assert curve.median == 10


def test_a_median_that_is_not_reached_is_no_number() -> None:
    assert np.isnan(kaplan_meier(DAYS, DAYS < 30).median)
    assert np.isnan(kaplan_meier(np.zeros(0), np.zeros(0, dtype=bool)).median)


def test_restricted_mean_is_the_area_below_the_curve() -> None:
    curve = kaplan_meier(DAYS, ENDS)
    area = 10 + 10 * 5 / 6 + 20 * 2 / 3 + 5 * 4 / 9
    assert curve.restricted_mean(45) == pytest.approx(area)
    assert np.isnan(kaplan_meier(DAYS, DAYS < 30).restricted_mean(365))  # not known so far


def test_cumulative_incidence_shares_with_the_competing_end() -> None:
    days, ours = np.array([1.0, 2, 3, 4]), np.array([True, False, True, False])
    other = np.array([False, True, False, False])
    assert cumulative_incidence(days, ours, other, 365) == pytest.approx(0.25 + 0.5 * 0.5)
    # One minus Kaplan-Meier would forget that the cancelled one can never arrive.
    assert 1 - kaplan_meier(days, ours).survival[-1] == pytest.approx(0.625)


def test_index_of_the_contract() -> None:
    assert index_value(0.4, 0.25, 1.0, 0.5) == pytest.approx(47.29, abs=0.005)
    assert index_value(0.0, 1.0, 1.0, 1.0) == pytest.approx(100 * 0.01**0.25)


@pytest.mark.parametrize(("share", "score"), [(0.05, 0.5), (0.1, 1), (0.3, 1), (0.65, 0.5), (1, 0)])
def test_band(share: float, score: float) -> None:
    assert band_score(share) == pytest.approx(score)


def test_diversity_of_the_contract() -> None:
    hand = Hand()
    issue = hand.issue("Initiative", date(2025, 1, 6), {})
    task = hand.issue("Task", date(2025, 1, 6), {}, initiative=issue)
    for person, days in ((1, 5), (2, 3), (3, 2)):
        hand.effort(person, task, date(2025, 2, 3), days)
    row = judged(hand, issue)
    assert row["effective_departments"] == pytest.approx(2.632, abs=5e-4)
    assert row["second_share"] == pytest.approx(0.3)
    assert row["is_cross_departmental"]


def test_utilisation_of_the_contract() -> None:
    hand = Hand()
    # February 2025 has 20 working days, two of them off: 160 h - 16 h; 120 h worked.
    hand.connection.execute(
        "insert into hidden.absence values (1, 1, '2025-02-24', '2025-02-26', 'vacation')"
    )
    hand.effort(1, 100, date(2025, 2, 3), 15)
    realised, worked, capacity, people, _ = value(
        hand, "resource_optimization.utilisation", "month", "2025-02-01"
    )
    assert (realised, worked, capacity) == (pytest.approx(0.8333, abs=5e-5), 15, 18)
    assert people == 1  # nobody else shows any work that month
    row = hand.connection.execute("""
        select capacity_hours, worked_hours, delay_proxy from truth.resource_month
        where department_id = '1' and month_start = '2025-02-01'
    """).fetchone()
    assert row == (144, 120, pytest.approx(5.0))


def test_net_promoter_score_of_the_contract() -> None:
    hand = Hand()
    hand.connection.execute("""
        insert into hidden.customer (customer_id, owner_id) values ('7', 2);
        insert into hidden.survey
            (survey_id, instrument, customer_id, score, scale_max, p_good, p_bad, answers_at)
        select
            cast(n as varchar), 'nps', '7', case when n < 20 then 9 when n < 28 then 6 else 8 end,
            10, .6, .1, timestamp '2025-02-03 10:00:00'
        from range(40) as listed(n)
    """)
    assert value(hand, "customer_satisfaction.nps") == (
        pytest.approx(30), 12, 40, 40, pytest.approx(50)
    )  # fmt: skip
    assert hand.connection.execute("""
        select department_id, denominator from truth.metric
        where metric_id = 'customer_satisfaction.nps' and period_start = '2025-01-01'
            and period_grain = 'trailing_12m' and denominator > 0 order by department_id
    """).fetchall() == [("2", 40.0), ("ALL", 40.0)]


# -- success ----------------------------------------------------------------------------------


def test_delivered_in_time_and_scope_is_a_success() -> None:
    hand = Hand()
    issue = hand.shared_initiative({RELEASED: "released"}, due=RELEASED)
    row = judged(hand, issue)
    assert (row["success_class"], row["decision_reason"]) == ("success", "delivered")
    assert (row["decided_on"], row["scope_ratio"]) == (RELEASED, 1.0)
    assert row["is_it_with_others"] and row["people_n"] == 2
    # A justified cancellation, 15 % of what is not delivered, leaves the denominator.
    delivered = 0.9 / (0.9 + 0.1 * 0.85)
    assert value(hand, "cross_departmental_success") == (
        1.0, 1.0, 1.0, 1, pytest.approx(delivered * 0.8 * 0.95)
    )  # fmt: skip


def test_an_open_initiative_fails_on_its_due_date() -> None:
    hand = Hand()
    row = judged(hand, hand.shared_initiative({}, due=DUE))
    assert (row["success_class"], row["decision_reason"]) == ("failure", "overdue")
    assert row["decided_on"] == DUE
    assert value(hand, "cross_departmental_success", "month", "2025-03-01")[:3] == (0.0, 0.0, 1.0)


def test_late_is_delivered_but_not_in_time() -> None:
    hand = Hand()
    row = judged(hand, hand.shared_initiative({date(2025, 3, 11): "released"}, due=DUE))
    assert row["is_delivered"] and not row["is_on_time"]
    assert row["decided_on"] == DUE  # when it failed, not when it ended


def test_without_a_due_date_time_drops_out() -> None:
    hand = Hand()
    row = judged(hand, hand.shared_initiative({RELEASED: "released"}))
    assert row["is_on_time"] is None and row["success_class"] == "success"


def test_a_moved_due_date_counts_unless_it_moved_after_the_end() -> None:
    hand = Hand()
    issue = hand.shared_initiative({RELEASED: "released"}, due=date(2025, 2, 28))
    hand.change(issue, date(2025, 3, 20), "duedate", "2025-02-28", "2025-04-30")
    assert judged(hand, issue)["is_on_time"] is False
    moved = hand.shared_initiative({RELEASED: "released"}, due=date(2025, 2, 28))
    hand.change(moved, date(2025, 2, 20), "duedate", "2025-02-28", "2025-04-30")
    row = judged(hand, moved)
    assert row["is_on_time"] is True and row["is_on_time_original"] is False
    assert row["baseline_changes_n"] == 1
    assert value(hand, "cross_departmental_success.baseline_changes")[0] == 0.5


def test_a_release_taken_back_within_a_fortnight_was_none() -> None:
    hand = Hand()
    phases = {RELEASED: "released", date(2025, 3, 16): "in_progress", date(2025, 4, 7): "released"}
    row = judged(hand, hand.shared_initiative(phases, due=DUE))
    assert row["available_on"] == date(2025, 4, 7) and row["is_taken_back"]
    assert row["first_available_at"].date() == RELEASED
    assert value(hand, "time_to_market.reopened_share")[:3] == (1.0, 1.0, 1.0)
    later = phases | {}
    later[date(2025, 3, 17)] = later.pop(date(2025, 3, 16))
    assert judged(hand, hand.shared_initiative(later, due=DUE))["available_on"] == RELEASED


def test_a_justified_cancellation_leaves_the_denominator() -> None:
    hand = Hand()
    issue = hand.shared_initiative({RELEASED: "cancelled"}, due=DUE)
    assert judged(hand, issue)["success_class"] == "failure"
    hand.connection.execute("update hidden.initiative set is_justified = true")
    assert judged(hand, issue)["success_class"] == "justified_cancellation"
    assert value(hand, "cross_departmental_success")[:4] == (None, 0.0, 0.0, 0)


def test_scope_is_what_existed_at_the_start_and_promised_something() -> None:
    hand = Hand()
    issue = hand.shared_initiative({RELEASED: "released"})
    january = date(2025, 1, 6)
    done = {date(2025, 2, 3): "done"}
    hand.issue("Task", january, done, initiative=issue, resolution="Won't Do")
    hand.issue("Task", january, done, initiative=issue, resolution="Duplicate")
    hand.issue("Sub-task", january, {}, initiative=issue)
    hand.issue("Task", date(2025, 1, 20), {}, initiative=issue)
    row = judged(hand, issue)
    assert (row["scope_ratio"], row["scope_growth_n"]) == (0.5, 1)
    assert row["is_scope_met"] is False and row["success_class"] == "failure"


def test_what_is_done_after_the_decision_does_not_mend_the_scope() -> None:
    hand = Hand()
    issue = hand.shared_initiative({RELEASED: "released"})
    hand.issue("Task", date(2025, 1, 6), {date(2025, 3, 4): "done"}, initiative=issue)
    assert judged(hand, issue)["scope_ratio"] == 0.5


def test_key_results_delay_the_count_and_leave_unmeasured_ones_open() -> None:
    hand = Hand()
    issue = hand.shared_initiative({RELEASED: "released"}, due=DUE)
    hand.connection.execute(f"""
        insert into hidden.key_result values
            ('1', {issue}, 'a', 1, '2025-06-01', 1, '2025-05-30', true),
            ('2', {issue}, 'b', 1, '2025-06-01', null, null, null)
    """)
    assert judged(hand, issue)["success_class"] == "undetermined"
    assert value(hand, "cross_departmental_success", "month", "2025-03-01")[3] == 0
    assert value(hand, "cross_departmental_success", "month", "2025-06-01")[:3] == (0.0, 0.0, 1.0)
    hand.connection.execute(
        """
        update hidden.key_result set measured_at = '2025-05-30', is_met = false
        where is_met is null
        """
    )
    assert judged(hand, issue)["success_class"] == "failure"


def test_what_is_expected_of_key_results_waits_for_their_measurement() -> None:
    hand = Hand()
    issue = hand.shared_initiative({RELEASED: "released"}, due=DUE)
    hand.serves(issue, "O1", date(2025, 1, 6))
    hand.connection.execute(f"""
        insert into hidden.key_result values
            ('1', {issue}, 'a', 1, '2025-06-01', 1, '2025-05-30', true),
            ('2', {issue}, 'b', 1, '2025-06-01', 1, '2025-05-30', true)
    """)
    delivered = 0.9 / (0.9 + 0.1 * 0.85)
    outcome = 0.5 * (11 / 12) ** 2  # each of the two is measured in eleven cases of twelve
    metric = "cross_departmental_success"
    asked = ("month", "2025-06-01")
    assert value(hand, f"{metric}.outcome_met", *asked)[4] == pytest.approx(delivered * outcome)
    success = pytest.approx(delivered * 0.8 * 0.95 * outcome)
    assert value(hand, metric, *asked)[4] == success
    assert hand.connection.execute("""
        select decided_n, success_parameter from truth.balance where period_start = '2025-01-01'
    """).fetchone() == (1.0, success)


@pytest.mark.parametrize(("start", "is_told"), [("2025-01-01", True), ("2025-08-01", False)])
def test_a_restricted_mean_is_expected_of_cohorts_that_could_be_watched(
    start: str, is_told: bool
) -> None:
    """In August 2025 nothing is open any more either, but it might have been."""
    hand = Hand()
    began = date.fromisoformat(start) + timedelta(6)
    hand.issue("Initiative", began, {began + timedelta(40): "released"})
    realised, _, _, _, planted = value(hand, "time_to_market.restricted_mean", "month", start)
    assert realised == pytest.approx(40)
    drawn = 80 * np.exp(0.4 * np.random.default_rng(1).normal(size=200_000))
    arrives = 0.9 / (0.9 + 0.1 * 0.25)
    expected = arrives * np.minimum(drawn, 365).mean() + (1 - arrives) * 365
    assert planted == (pytest.approx(expected, rel=0.005) if is_told else None)


def test_an_idea_that_nobody_approved_was_never_a_project() -> None:
    hand = Hand()
    issue = hand.shared_initiative({RELEASED: "cancelled"})
    hand.connection.execute(
        f"""
        update hidden.phase_span set phase = 'idea'
        where issue_id = {issue} and phase <> 'cancelled'
        """
    )
    row = judged(hand, issue)
    assert row["approved_at"] is None and row["success_class"] is None
    assert value(hand, "cross_departmental_success")[3] == 0
    assert value(hand, "time_to_market.from_idea")[2:4] == (1.0, 1)  # but it was watched


def test_the_landmark_tells_early_partners_from_late_ones() -> None:
    hand = Hand()
    issue = hand.issue("Initiative", date(2025, 1, 6), {date(2025, 1, 6): "in_progress"})
    task = hand.issue("Task", date(2025, 1, 6), {}, initiative=issue)
    hand.effort(1, task, date(2025, 1, 6), 10)
    hand.effort(2, task, date(2025, 2, 18), 10)
    row = judged(hand, issue)
    assert row["landmark_on"] == date(2025, 2, 15)  # the first day that has 30 working days before
    assert row["is_cross_departmental"] and row["is_cross_at_landmark"] is False


def test_effort_after_the_decision_makes_nobody_a_partner() -> None:
    hand = Hand()
    issue = hand.shared_initiative({date(2025, 1, 7): "in_progress"}, due=date(2025, 1, 10))
    before = judged(hand, issue)
    hand.effort(3, issue + 1, date(2025, 1, 13), 20)
    after = judged(hand, issue)
    assert after["effective_departments"] == before["effective_departments"] == 2.0
    assert after["effort_days"] == before["effort_days"] + 20


# -- effort and objectives --------------------------------------------------------------------


def test_effort_is_classified_aligned_and_visionary_by_what_it_serves() -> None:
    hand = Hand()
    aims = {}
    for name in ("V1", "O1", None):
        aims[name] = hand.issue("Initiative", date(2025, 1, 6), {})
        if name:
            hand.serves(aims[name], name, date(2025, 1, 6))
        task = hand.issue("Task", date(2025, 1, 6), {}, initiative=aims[name])
        hand.effort(2, task, date(2025, 2, 3), 2)
    hand.effort(2, 100, date(2025, 2, 10), 4)
    month = ("month", "2025-02-01")
    assert value(hand, "resource_optimization", *month)[:3] == (pytest.approx(4 / 6), 4, 6)
    assert value(hand, "resource_optimization.unclassified_share", *month)[0] == 0.4
    assert value(hand, "resource_optimization.visionary_share", *month)[0] == 0.5
    # Department 1 owns them all; effort for nobody's initiative is not shared.
    assert value(hand, "resource_optimization.sharing", *month)[:3] == (0.6, 6, 10)


def test_concurrent_posts_share_the_day() -> None:
    hand = Hand()
    hand.connection.execute("""
        update hidden.post set share = .6 where person_id = 1;
        insert into hidden.post values (1, '2', 'HAM', 1.0, .4, '2024-01-01', null)
    """)
    issue = hand.issue("Initiative", date(2025, 1, 6), {})
    task = hand.issue("Task", date(2025, 1, 6), {}, initiative=issue)
    hand.effort(1, task, date(2025, 2, 3), 10)
    row = judged(hand, issue)
    assert row["second_share"] == pytest.approx(0.4) and row["people_n"] == 1
    assert not row["is_cross_departmental"]  # one person in two posts is no collaboration


def test_new_products_by_the_rate_of_the_day() -> None:
    hand = Hand()
    hand.connection.execute("""
        insert into hidden.product (product_id, department_id, first_sold_on)
        values ('old', '1', '2020-01-01'), ('new', '1', '2024-03-01');
        insert into hidden.exchange_rate
        values ('USD', '2024-01-01', 2.0), ('USD', '2025-02-01', .5);
        insert into hidden.deal (deal_id, currency, p_won)
        values ('1', 'EUR', .5), ('2', 'USD', 1.0), ('3', 'EUR', .5);
        insert into hidden.deal_stage values
            ('1', 'closedlost', '2025-01-10'), ('1', 'closedwon', '2025-02-10'),
            ('2', 'closedwon', '2025-02-10'), ('3', 'closedlost', '2025-02-10');
        insert into hidden.line_item
        values ('1', '1', 'old', 300), ('2', '2', 'new', 200), ('3', '3', 'new', 100);
    """)
    metrics(hand.world())
    assert hand.connection.execute("""
        select realised_value, numerator, denominator, n, parameter_value from truth.metric
        where metric_id = 'innovation_index.v' and department_id = 'ALL'
            and period_start = '2025-01-01'
    """).fetchone() == (0.25, 100, 400, 2, pytest.approx((100 + 50) / (150 + 100 + 50)))


# -- planted durations ------------------------------------------------------------------------


def test_the_median_of_a_mixture() -> None:
    one = np.array([1.0])
    pure = Planted(np.array([80.0, 50.0]), np.array([0.4, 0.4]), np.array([1.0, 1.0]))
    weights = np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
    medians = pure.mixed_median(weights)
    assert medians[:2] == pytest.approx([80, 50], rel=1e-4)
    assert 50 < medians[2] < 80
    assert pure.reached(medians[2:]).mean() == pytest.approx(0.5, abs=1e-6)
    # Six of ten ever arrive: half of all have when 5/6 of those have.
    partial = Planted(np.array([80.0]), np.array([0.4]), np.array([0.6]))
    assert partial.mixed_median(one[None]) == pytest.approx([80 * np.exp(0.4 * 0.967422)], rel=1e-4)
    never = Planted(np.array([80.0]), np.array([0.4]), np.array([0.4]))
    assert np.isnan(never.mixed_median(one[None])).all()


def test_the_restricted_mean_of_a_mixture_agrees_with_draws() -> None:
    planted = Planted(np.array([80.0, 300.0]), np.array([0.4, 0.5]), np.array([0.9, 1.0]))
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 2, 200_000)
    drawn = planted.median[kind] * np.exp(rng.normal(0, planted.spread[kind]))
    drawn[rng.random(len(kind)) > planted.chance[kind]] = np.inf
    expected = np.minimum(drawn, 365).mean()
    assert planted.mixed_restricted_mean(np.array([[1.0, 1.0]]), 365) == pytest.approx(
        [expected], rel=0.005
    )
