-- Companies with what changed about them, and the people there.
create table hubspot_now.company_states as
with
    lives as (
        select
            customer_id, created_at, coalesce(archived_at, timestamp '9999-01-01') as archived_at
        from hidden.customer
        where created_at < $now
    ),

    deal_moments as (
        select
            customer_id, min(entered_at) as first_deal_at,
            min(entered_at) filter (where stage = 'closedwon') as first_won_at
        from hidden.deal_stage join hidden.deal using (deal_id)
        group by customer_id
    ),

    served as (
        select
            customer_id,
            greatest(approved_at, lives.created_at) as changed_at,
            string_agg(issue_key, ';') over (
                partition by customer_id
                order by greatest(approved_at, lives.created_at), issue_id
                rows unbounded preceding
            ) as keys,
            issue_id
        from hidden.initiative_customer
        join hidden.initiative using (issue_id)
        join hidden.issue using (issue_id)
        join lives using (customer_id)
        where approved_at is not null
    ),

    changes as (
        select customer_id, 'lifecyclestage' as property, 'lead' as value, created_at as changed_at
        from lives
        union all
        select customer_id, 'lifecyclestage', 'opportunity', first_deal_at from deal_moments
        union all
        select customer_id, 'lifecyclestage', 'customer', first_won_at from deal_moments
        union all
        select customer_id, 'jira_initiative_keys', keys, changed_at from served
        qualify row_number() over (
            partition by customer_id, changed_at order by issue_id desc
        ) = 1
    )

select cast(customer_id as bigint) as id, property, value, changed_at
from changes join lives using (customer_id)
where changed_at < $now and changed_at < archived_at and changed_at >= created_at
order by id, property, changed_at;

create table hubspot_now.companies as
select
    cast(customer.customer_id as bigint) as id, customer.customer_id,
    customer.created_at, state.updated_at,
    case when customer.archived_at < $now then customer.archived_at end as archived_at,
    customer.name,
    trim(regexp_replace(lower(customer.name), '[^a-z0-9]+', '-', 'g'), '-') || '.example' as domain,
    country,
    cast(owner_of.owner_id as varchar) as hubspot_owner_id,
    lifecyclestage,
    segment as customer_segment,
    jira_initiative_keys,
    hubspot_now.stamp(customer.created_at) as createdate,
    hubspot_now.stamp(state.updated_at) as hs_lastmodifieddate,
    customer.customer_id as hs_object_id
from hidden.customer
join (
    select
        id, max(changed_at) as updated_at,
        max_by(value, changed_at) filter (where property = 'lifecyclestage') as lifecyclestage,
        max_by(value, changed_at) filter (where property = 'jira_initiative_keys')
            as jira_initiative_keys
    from hubspot_now.company_states group by id
) as state on state.id = cast(customer.customer_id as bigint)
left join hubspot_now.owner_of on owner_of.person_id = customer.owner_id
order by state.id;

create table hubspot_now.contacts as
select
    cast(contact_id as bigint) as id, customer_id,
    contact.created_at, contact.created_at as updated_at,
    case when contact.archived_at < $now then contact.archived_at end as archived_at,
    first_name as firstname,
    last_name as lastname,
    email,
    customer_id as associatedcompanyid,
    hubspot_now.stamp(contact.created_at) as createdate,
    hubspot_now.stamp(contact.created_at) as lastmodifieddate,
    contact_id as hs_object_id
from hidden.contact
where contact.created_at < $now
order by id;
