-- What changed when, and who belongs to whom.
-- A view, because a request asks for few records and nobody for all of them.
create view hubspot_now.history as
with
    changes as (
        select 'companies' as object_type, id, property, value, changed_at, 1 as position
        from hubspot_now.company_states
        union all
        select 'deals', id, property, value, entered_at, position
        from hubspot_now.deal_states unpivot include nulls (
            value for property in (columns(* exclude (id, position, entered_at, created_at, is_closed)))
        )
        union all
        select 'tickets', id, property, value, entered_at, position
        from hubspot_now.ticket_states unpivot include nulls (
            value for property in (columns(* exclude (id, position, entered_at, created_at)))
        )
        union all
        select 'tickets', cast(ticket_id as bigint), 'jira_issue_key', issue_key,
            greatest(opened_at, issue.created_at), 1
        from hidden.ticket
        join hidden.issue using (issue_id)
        join hubspot_now.tickets on tickets.hs_object_id = ticket_id
        where tickets.jira_issue_key is not null
        union all
        select 'products', id, 'first_sale_date', first_sale_date, updated_at, 1
        from hubspot_now.products where first_sale_date is not null
    )

select object_type, id, property, coalesce(value, '') as value, changed_at, position
from changes
qualify
    value is distinct from
    lag(value) over (partition by object_type, id, property order by changed_at, position);

-- Archived records belong to nobody.
create table hubspot_now.associations as
with
    live as (
        select 'companies' as object_type, id from hubspot_now.companies where archived_at is null
        union all
        select 'contacts', id from hubspot_now.contacts where archived_at is null
        union all
        select 'deals', id from hubspot_now.deals where archived_at is null
        union all
        select 'line_items', id from hubspot_now.line_items where archived_at is null
        union all
        select 'tickets', id from hubspot_now.tickets where archived_at is null
        union all
        select 'feedback_submissions', id from hubspot_now.feedback_submissions
    ),

    pairs as (
        select 'deals' as one_type, id as one, 'companies' as other_type,
            cast(customer_id as bigint) as other
        from hubspot_now.deals
        union all
        select 'tickets', id, 'companies', cast(customer_id as bigint) from hubspot_now.tickets
        union all
        select 'contacts', id, 'companies', cast(customer_id as bigint) from hubspot_now.contacts
        union all
        select 'feedback_submissions', id, 'companies', cast(customer_id as bigint)
        from hubspot_now.feedback_submissions
        union all
        select 'feedback_submissions', id, 'tickets', ticket_id
        from hubspot_now.feedback_submissions where ticket_id is not null
        union all
        select 'line_items', id, 'deals', deal_id from hubspot_now.line_items
        union all
        select object_type, id, 'contacts', contact_id from hubspot_now.met
    ),

    living as (
        select * from pairs
        where (one_type, one) in (from live) and (other_type, other) in (from live)
    )

select one_type as from_type, one as from_id, other_type as to_type, other as to_id from living
union all
select other_type, other, one_type, one from living
order by from_type, to_type, from_id, to_id;
