"""The department tree and its changes, how many people its teams have, and the objectives.

Belongs here: what governed seeds name, and the size of teams. Does not belong here: single
people (test_simulated_people).
"""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from simulated_company import company, fresh, rows

from sandbox.calendars import END, HORIZON, START
from sandbox.simulation.organisation.departments import departments
from sandbox.spec import SIZES


def smallest_teams(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """By team the least head count, by main post, on any day on which the team exists."""
    return dict(
        rows(
            connection,
            f"""
            with
                days as (
                    select unnest(range(date '{START}', date '{END}', interval 1 day))::date as day
                ),
                main as (
                    select department_id, day
                    from hidden.post
                    inner join hidden.person on person.person_id = post.person_id
                    inner join days
                        on from_date <= day and day < coalesce(to_date, '{HORIZON}')
                    where kind = 'employee' and share > 0.5
                ),
                heads as (
                    select department.department_id, days.day, count(main.day) as heads
                    from hidden.department
                    inner join days on valid_from <= day and day < coalesce(valid_to, '{HORIZON}')
                    left join main
                        on main.department_id = department.department_id and main.day = days.day
                    where project_key is not null
                    group by all
                )
            select department_id, min(heads) from heads group by department_id
            """,
        )
    )


# -- teams -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 13))
def test_every_tiny_team_keeps_its_core_of_eight_on_every_day(seed: int) -> None:
    least = smallest_teams(company("tiny", seed))
    assert least.keys() == {"11", "12", "21", "22", "31", "32"}
    assert min(least.values()) >= 8


def test_every_larger_team_has_seven_people_while_it_exists() -> None:
    least = smallest_teams(company("small"))
    assert len(least) == SIZES["small"].teams
    assert min(least.values()) >= 7


def test_a_team_that_is_too_small_would_be_seen() -> None:
    connection = fresh("tiny", 7)
    connection.execute(
        "update hidden.post set department_id = '11' where department_id = '31' and share = 1"
    )
    assert smallest_teams(connection)["31"] < 7


@pytest.mark.parametrize("size", sorted(SIZES))
def test_the_tree_has_the_teams_of_its_size(size: str) -> None:
    found = departments(SIZES[size])
    teams = [unit for unit in found if unit.project_key]
    keys = [unit.project_key or "" for unit in teams]
    parents = {unit.department_id: unit.versions[0].parent_id for unit in found}
    assert len(teams) == SIZES[size].teams
    assert sum(parent is None for parent in parents.values()) == SIZES[size].divisions
    assert len(parents) == len({unit.versions[0].name for unit in found}) == len(found)
    assert len(set(keys)) == len(keys)
    assert all(2 <= len(key) <= 10 and key.isalpha() and key.isupper() for key in keys)
    assert "IDEA" not in keys
    depths = set()
    for team in teams:
        depth, parent = 1, parents[team.department_id]
        while parent is not None:
            depth, parent = depth + 1, parents[parent]
        depths.add(depth)
    assert depths == {{"tiny": 2, "small": 3}.get(size, 4)}
    share = Counter(unit.function for unit in teams)
    assert {function: number / len(teams) >= 0.2 for function, number in share.items()} == {
        "it": True,
        "customer_facing": True,
        "business": True,
    }


def test_the_tiny_tree_is_the_one_of_the_governed_seeds() -> None:
    found = rows(
        company(),
        "select department_id, function, project_key, logs_work from hidden.department "
        "where valid_to is null order by department_id",
    )
    assert found == [
        ("10", "it", None, False),
        ("11", "it", "PLAT", True),
        ("12", "it", "SOFT", True),
        ("20", "customer_facing", None, False),
        ("21", "customer_facing", "SALE", False),
        ("22", "customer_facing", "CARE", True),
        ("30", "business", None, False),
        ("31", "business", "INST", False),
        ("32", "business", "FSC", False),
    ]
    clean = rows(
        company(profile="clean"),
        "select distinct project_key is not null, logs_work from hidden.department",
    )
    assert sorted(clean) == [(False, False), (True, True)]


def test_departments_are_renamed_moved_and_merged() -> None:
    connection = company("small")
    versions = rows(
        connection,
        """
        select
            department_id, count(*), count(distinct name), count(distinct parent_department_id),
            max(coalesce(valid_to, '9999-01-01'))
        from hidden.department group by department_id having count(*) > 1 order by all
        """,
    )
    assert sorted((names, parents) for _, _, names, parents, _ in versions) == [
        (1, 2),
        (2, 1),
        (2, 1),
    ]
    # Versions of a department follow each other without a gap.
    assert not rows(
        connection,
        """
        select * from (
            select
                valid_from, lag(valid_to) over (partition by department_id order by valid_from)
                as earlier_to
            from hidden.department
        )
        where earlier_to is not null and earlier_to <> valid_from
        """,
    )
    (merged,) = (unit for unit in departments(SIZES["small"]) if unit.merged_into)
    day = merged.versions[-1].valid_to
    went_on = rows(
        connection,
        f"""
        select distinct after.department_id
        from hidden.post as before
        left join hidden.post as after
            on after.person_id = before.person_id and after.from_date = before.to_date
        where before.department_id = '{merged.department_id}' and before.to_date = '{day}'
        """,
    )
    assert went_on == [(merged.merged_into,)]
    assert not rows(
        connection,
        f"select * from hidden.post where department_id = '{merged.department_id}' "
        f"and coalesce(to_date, '{HORIZON}') > '{day}'",
    )


def test_priorities_change_and_initiatives_follow_a_month_later() -> None:
    found = {
        day: {
            name: (weight, round(pull, 3))
            for name, weight, pull in rows(
                company(),
                f"""
                select objective_id, weight, pull from hidden.objective
                where valid_from <= '{day}' and '{day}' < coalesce(valid_to, '{HORIZON}')
                """,
            )
        }
        for day in ("2025-06-30", "2025-07-01", "2025-08-01")
    }
    assert [round(sum(pull for _, pull in values.values()), 2) for values in found.values()] == [
        1,
        1,
        1,
    ]
    assert [round(sum(weight for weight, _ in v.values()), 2) for v in found.values()] == [1, 1, 1]
    assert [values["S1"] for values in found.values()] == [
        (0.15, 0.155),
        (0.25, 0.155),
        (0.25, 0.345),
    ]
    assert [values["V1"] for values in found.values()] == [(0.2, 0.17)] * 3
