-- The schema of the records as of $now, which the other files fill: one table an object type with
-- one row an object and every property as text. What happened from $now on has not happened yet,
-- and a record that was archived is not edited any more.
drop schema if exists hubspot_now cascade;
create schema hubspot_now;
create macro hubspot_now.stamp(moment) as strftime(moment, '%Y-%m-%dT%H:%M:%S.%gZ');
create macro hubspot_now.money(amount) as cast(cast(amount as decimal(18, 2)) as varchar);

create table hubspot_now.stages (
    object_type text, stage_id text, label text, display_order integer, is_closed boolean,
    is_won boolean, probability double
);
insert into hubspot_now.stages values $stages;

create table hubspot_now.owners as
select
    cast(account_id as bigint) as id, person_id,
    case when is_email_shown then email end as email,
    split_part(shown_name, ' ', 1) as first_name,
    nullif(substr(shown_name, length(split_part(shown_name, ' ', 1)) + 2), '') as last_name,
    opened_at as created_at,
    greatest(opened_at, case when renamed_at < $now then renamed_at end) as updated_at,
    case when closed_at < $now then closed_at end as archived_at
from (
    select *, case when renamed_at < $now then renamed_to else display_name end as shown_name
    from hidden.account
    where system = 'crm' and opened_at < $now
)
order by id;

-- A person who came back has several: the first one stays on the records.
create table hubspot_now.owner_of as
select person_id, min(id) as owner_id, min_by(email, id) as email
from hubspot_now.owners
group by person_id;
