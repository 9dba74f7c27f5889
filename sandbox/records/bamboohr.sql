-- What BambooHR holds as of {now} (UTC). Only employees are known to it, and of their posts only
-- what HR had said by then. Leave and answers, which carry a date only, are known from 00:00 UTC
-- of that day on.
drop schema if exists bamboohr_now cascade;
create schema bamboohr_now;

-- The clock of the view; `today` at the company's seat.
create table bamboohr_now.moment as
select
    timestamp '{now}' as now,
    timezone('Europe/Berlin', timezone('UTC', timestamp '{now}'))::date as today;

-- One row per department and version begun, as exports have them; an end to come is not told.
create table bamboohr_now.department as
select
    department_id, name, parent_department_id, function, valid_from,
    case when valid_to <= moment.today then valid_to end as valid_to
from hidden.department
cross join bamboohr_now.moment
where valid_from <= moment.today;

-- One row per department: the option of BambooHR's list, which has the newest name for all times.
-- The division is the department at the top of the tree. renamed_at: the newest change of either.
create table bamboohr_now.department_option as
with recursive newest as (
    select
        department_id,
        arg_max(name, valid_from) as name,
        arg_max(coalesce(parent_department_id, ''), valid_from) as parent_id,
        min(valid_from) as created_on,
        case when count(*) > 1 then max(valid_from) end as changed_on,
        case when count(*) = count(valid_to) then max(valid_to) end as archived_on
    from bamboohr_now.department
    group by department_id
),
tree as (
    select department_id, name as division, changed_on from newest where parent_id = ''
    union all
    select newest.department_id, tree.division, greatest(newest.changed_on, tree.changed_on)
    from newest inner join tree on newest.parent_id = tree.department_id
)
select
    row_number() over (order by created_on, department_id) as option_id,
    newest.department_id, newest.name, tree.division, newest.created_on, newest.archived_on,
    timezone('UTC', timezone('Europe/Berlin', tree.changed_on::timestamp)) as renamed_at
from newest
left join tree using (department_id);

-- One row per employee and post as HR says it now.
create table bamboohr_now.post as
select
    hr_post.person_id, hr_post.department_id, hr_post.location_id, hr_post.fte, hr_post.share,
    hr_post.from_date, hr_post.to_date
from hidden.hr_post
inner join hidden.person using (person_id)
where
    person.kind = 'employee'
    and hr_post.known_from <= timestamp '{now}'
    and coalesce(hr_post.known_to > timestamp '{now}', true);

-- One row per employee ever entered, with the newest edit of what HR says of the posts. The new
-- name of a department is an edit of everybody whose rows show it.
create table bamboohr_now.edit as
with said as (
    select
        person_id,
        min(known_from) as inserted_at,
        max(
            greatest(known_from, case when known_to <= timestamp '{now}' then known_to end)
        ) as changed_at,
        not bool_or(coalesce(known_to > timestamp '{now}', true)) as is_deleted
    from hidden.hr_post
    inner join hidden.person using (person_id)
    where person.kind = 'employee' and known_from <= timestamp '{now}'
    group by person_id
),
renamed as (
    select post.person_id, max(renamed_at) as renamed_at
    from bamboohr_now.post
    inner join bamboohr_now.department_option using (department_id)
    group by post.person_id
)
select said.* replace (greatest(changed_at, renamed_at) as changed_at)
from said
left join renamed using (person_id);

-- One row per employee and day on which any post begins or ends, with the main post from that day
-- on (the largest share); department_id null: no post. Concurrent posts cannot be said.
create table bamboohr_now.place as
with boundary as (
    select person_id, from_date as day from bamboohr_now.post
    union
    select person_id, to_date from bamboohr_now.post where to_date is not null
)
select
    person_id, day,
    arg_max(department_id, (share, department_id)) filter (where is_held) as department_id,
    arg_max(location_id, (share, department_id)) filter (where is_held) as location_id,
    arg_max(fte, (share, department_id)) filter (where is_held) as fte
from (
    -- Joined by person alone: with the days in the condition DuckDB compares everybody's.
    select
        boundary.day, post.*,
        post.from_date <= boundary.day
        and coalesce(boundary.day < post.to_date, true) as is_held
    from boundary inner join bamboohr_now.post using (person_id)
)
group by person_id, day;

-- The same with what came before, to tell where something changes.
create table bamboohr_now.step as
select
    *,
    lag(department_id) over before as earlier_department_id,
    lag(location_id) over before as earlier_location_id,
    lag(fte) over before as earlier_fte
from bamboohr_now.place
window before as (partition by person_id order by day);

-- BambooHR's tables: rows have a date and no end. A later row ends the former, and whoever has
-- left is told by employmentStatus only.
create table bamboohr_now.job_info as
select
    person_id, day, step.department_id, option.name as department, option.division,
    step.location_id
from bamboohr_now.step
inner join bamboohr_now.department_option as option using (department_id)
where
    step.department_id is distinct from step.earlier_department_id
    or step.location_id is distinct from step.earlier_location_id;

-- A termination is dated on the last day at work, as the employee's terminationDate is.
create table bamboohr_now.employment_status as
with status as (
    select
        person_id, day, department_id is not null as is_employed,
        case
            when department_id is null then 'Terminated'
            when fte < 1 then 'Part-Time'
            else 'Full-Time'
        end as status
    from bamboohr_now.step
)
select person_id, if(is_employed, day, day - 1) as day, status
from status
qualify status is distinct from lag(status) over (partition by person_id order by status.day);

create table bamboohr_now.contracted_fte as
select person_id, day, fte
from bamboohr_now.step
where fte is not null and fte is distinct from earlier_fte;

-- One row per employee, as of today. A rehired person has the day of the last hiring as hire date,
-- and the first one beside it.
create table bamboohr_now.employee as
with hiring as (
    select person_id, min(day) as first_hired_on, max(day) as hired_on
    from bamboohr_now.step
    where department_id is not null and earlier_department_id is null
    group by person_id
),
ending as (
    select
        person_id,
        max(to_date) - 1 as last_day,
        bool_or(to_date is null) as is_open
    from bamboohr_now.post
    group by person_id
),
newest as (
    select person_id, arg_max(step, day) as step
    from bamboohr_now.step
    cross join bamboohr_now.moment
    where department_id is not null and step.day <= moment.today
    group by person_id
)
select
    person.person_id,
    person.person_id::text as id,
    person.employee_id, person.first_name, person.last_name, person.email,
    hiring.first_hired_on, hiring.hired_on,
    case when not ending.is_open then ending.last_day end as terminated_on,
    if(
        hiring.first_hired_on <= moment.today
        and coalesce(ending.is_open or ending.last_day >= moment.today, true),
        'Active', 'Inactive'
    ) as status,
    newest.step.department_id as department_id, newest.step.location_id as location_id,
    newest.step.fte as fte,
    edit.inserted_at, edit.changed_at
from hidden.person
inner join hiring using (person_id)
inner join ending using (person_id)
inner join bamboohr_now.edit using (person_id)
left join newest using (person_id)
cross join bamboohr_now.moment;

-- Working days of every calendar; worked_before counts those before the day.
create table bamboohr_now.day as
with day as (
    select unnest(generate_series(from_date, to_date, interval 1 day))::date as day
    from (select min(from_date) as from_date, max(to_date) as to_date from hidden.absence)
)
select
    calendar.calendar_id, day.day,
    isodow(day.day) <= 5 and holiday.holiday_date is null as is_worked,
    coalesce(
        count_if(isodow(day.day) <= 5 and holiday.holiday_date is null) over (
            partition by calendar.calendar_id order by day.day
            rows between unbounded preceding and 1 preceding
        ), 0
    ) as worked_before
from day
cross join (select distinct calendar_id from hidden.location) as calendar
left join hidden.holiday
    on calendar.calendar_id = holiday.calendar_id and day.day = holiday.holiday_date;

-- One row per absence begun; it is known in full from then on. Hours count working days at the
-- site of the post of that day, as HR says it.
create table bamboohr_now.leave as
with begun as (
    select absence.*, place.location_id, place.fte
    from hidden.absence
    asof inner join (from bamboohr_now.place where department_id is not null) as place
        on absence.person_id = place.person_id and absence.from_date >= place.day
    where absence.from_date::timestamp <= timestamp '{now}'
)
select
    begun.absence_id, begun.person_id, begun.from_date, begun.to_date, begun.leave_type,
    location.calendar_id, begun.fte,
    round((last_day.worked_before - first_day.worked_before) * 8 * begun.fte, 2) as hours
from begun
inner join bamboohr_now.edit using (person_id)
left join hidden.location on begun.location_id = location.location_id
left join bamboohr_now.day as first_day
    on location.calendar_id = first_day.calendar_id and begun.from_date = first_day.day
left join bamboohr_now.day as last_day
    on location.calendar_id = last_day.calendar_id and begun.to_date = last_day.day;
