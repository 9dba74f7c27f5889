-- Answers to surveys, and who had to do with what.

-- Whom a deal, a ticket or a survey had to do with: somebody known by then, always the same one.
create table hubspot_now.met as
select
    object_type, met.id,
    min_by(contacts.id, md5(concat_ws(' ', object_type, met.id, contacts.id)))
    as contact_id
from (
    select 'deals' as object_type, id, customer_id, created_at from hubspot_now.deals
    union all
    select 'tickets', id, customer_id, created_at from hubspot_now.tickets
    union all
    select 'feedback_submissions', cast(survey_id as bigint), customer_id, sent_at
    from hidden.survey where responded_at < $now
) as met
join hubspot_now.contacts using (customer_id)
where contacts.created_at <= met.created_at
group by object_type, met.id;

create table hubspot_now.feedback_submissions as
select
    cast(survey_id as bigint) as id, customer_id, try_cast(ticket_id as bigint) as ticket_id,
    responded_at as created_at, responded_at as updated_at,
    cast(null as timestamp) as archived_at,
    case instrument when 'csat' then '1' else '2' end as hs_survey_id,
    case instrument when 'csat' then 'Satisfaction with our help' else 'Would you recommend us' end
        as hs_survey_name,
    upper(instrument) as hs_survey_type,
    'EMAIL' as hs_survey_channel,
    hubspot_now.stamp(responded_at) as hs_submission_timestamp,
    cast(score as varchar) as hs_value,
    cast(met.contact_id as varchar) as hs_contact_id,
    cast(scale_max as varchar) as rating_scale_max,
    hubspot_now.stamp(responded_at) as hs_createdate,
    hubspot_now.stamp(responded_at) as hs_lastmodifieddate,
    survey_id as hs_object_id
from hidden.survey
left join hubspot_now.met
    on met.object_type = 'feedback_submissions' and met.id = cast(survey_id as bigint)
where responded_at < $now
order by id;
