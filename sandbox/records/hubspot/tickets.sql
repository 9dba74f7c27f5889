-- Tickets with every state they were in.
create table hubspot_now.ticket_states as
with
    entered as (
        select
            cast(ticket_id as bigint) as id, stage, entered_at, is_closed,
            min(entered_at) over (partition by ticket_id) as created_at,
            row_number() over (partition by ticket_id order by entered_at, display_order)
                as position
        from hidden.ticket_stage
        join hidden.ticket using (ticket_id)
        join hubspot_now.stages on object_type = 'tickets' and stage_id = stage
        where entered_at < $now and entered_at < coalesce(archived_at, $now)
    )

select
    id, position, entered_at, created_at,
    stage as hs_pipeline_stage,
    case when is_closed then hubspot_now.stamp(entered_at) end as closed_date,
    case when is_closed then cast(1000 * datediff('second', created_at, entered_at) as varchar) end
        as time_to_close
from entered
order by id, position;

create table hubspot_now.tickets as
select
    cast(ticket.ticket_id as bigint) as id, ticket.customer_id,
    state.created_at,
    greatest(state.entered_at, linked.linked_at) as updated_at,
    case when ticket.archived_at < $now then ticket.archived_at end as archived_at,
    subject,
    '$ticket_pipeline' as hs_pipeline,
    upper(ticket.priority) as hs_ticket_priority,
    cast(owner_of.owner_id as varchar) as hubspot_owner_id,
    state.* exclude (id, position, entered_at, created_at),
    linked.issue_key as jira_issue_key,
    hubspot_now.stamp(state.created_at) as createdate,
    hubspot_now.stamp(greatest(state.entered_at, linked.linked_at)) as hs_lastmodifieddate,
    ticket.ticket_id as hs_object_id
from hidden.ticket
join (
    select * from hubspot_now.ticket_states
    qualify position = max(position) over (partition by id)
) as state on state.id = cast(ticket.ticket_id as bigint)
left join (
    select ticket_id, issue_key, greatest(opened_at, issue.created_at) as linked_at
    from hidden.ticket join hidden.issue using (issue_id)
    where issue.created_at < $now and issue.created_at < coalesce(archived_at, $now)
) as linked using (ticket_id)
left join hubspot_now.owner_of on owner_of.person_id = ticket.handler_id
order by state.id;
