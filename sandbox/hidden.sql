-- The hidden state of the company: what really happened, to HORIZON, whether or not any system
-- was told. Records (sandbox/records) and truth (sandbox/truth) both follow from it, and neither
-- from the other.
--
-- Instants are UTC, intervals half-open, an open end is null. No primary keys: their indexes would
-- not fit into memory at size `large`; tests/sandbox holds them to their grain instead.
create schema hidden;

-- Organisation ---------------------------------------------------------------------------------

-- One row per site.
create table hidden.location (location_id text, timezone text, calendar_id text);
create table hidden.holiday (calendar_id text, holiday_date date, name text);

-- One row per department and version (a rename or a new parent is a new version; a merge ends the
-- last one). Only teams (project_key not null) have people of their own. `function` is
-- it | customer_facing | business. `logs_work`: the team books its time.
create table hidden.department (
    department_id text, name text, parent_department_id text, function text, project_key text,
    logs_work boolean, valid_from date, valid_to date
);

-- One row per human being or mailbox that acts somewhere. kind: employee | contractor | mailbox;
-- only employees are known to HR. employee_id is null for the others.
create table hidden.person (
    person_id integer, employee_id text, kind text, first_name text, last_name text, email text
);

-- One row per person and post: the true place. Shares of a person on a day sum to 1; fte is the
-- contracted FTE of the person. Contractors and mailboxes have posts too.
create table hidden.post (
    person_id integer, department_id text, location_id text, fte double, share double,
    from_date date, to_date date
);

-- One row per absence of an employee; never overlapping.
create table hidden.absence (
    absence_id integer, person_id integer, from_date date, to_date date, leave_type text
);

-- What HR says of the posts, and when it said so: a row is in HR's answers while
-- known_from <= now < known_to. Profile clean: the posts, known from the day they begin. Messy:
-- some moves are entered late, so that HR says the old department meanwhile; the correction
-- replaces the row. to_date is null until HR knows the end. row_id: the same in all versions of a
-- row, which follow each other without overlap.
create table hidden.hr_post (
    row_id integer, person_id integer, department_id text, location_id text, fte double,
    share double, from_date date, to_date date, known_from timestamp, known_to timestamp
);

-- One row per account of a person in a system. system: jira | crm. account_id is the vendor's id.
-- email is the account's, shown to others only where is_email_shown. Names may change once.
create table hidden.account (
    system text, account_id text, person_id integer, display_name text, email text,
    is_email_shown boolean, account_type text, opened_at timestamp, closed_at timestamp,
    renamed_at timestamp, renamed_to text
);

-- Mission --------------------------------------------------------------------------------------

-- One row per objective and version of its weight. `pull`: relative chance that a new initiative
-- serves it in that time. `label`: how Jira issues name it. horizon: operational | strategic |
-- visionary.
create table hidden.objective (
    objective_id text, parent_objective_id text, name text, horizon text, owner text, label text,
    weight double, pull double, valid_from date, valid_to date
);

-- One row per key result of an initiative (empty unless Spec.key_results); measured_at null: never.
create table hidden.key_result (
    key_result_id text, issue_id bigint, measure text, target_value double, due_date date,
    measured_value double, measured_at timestamp, is_met boolean
);

-- Work -----------------------------------------------------------------------------------------

-- One row per status of a workflow, with its true phase: idea | approved | waiting | in_progress |
-- done | released | cancelled. category: new | indeterminate | done (Jira's). deleted_at: the
-- administrators removed the status, no issue is in it any more.
create table hidden.workflow_status (
    workflow text, status text, status_id integer, phase text, category text, deleted_at timestamp
);

-- One row per Jira project. workflow_of its everyday issues; initiatives and ideas have their own.
create table hidden.project (
    project_key text, project_id integer, name text, department_id text, workflow text,
    created_at timestamp
);

-- One row per issue: what it was when it was created. issue ids are numbered by creation.
-- initiative_issue_id: the initiative (issue_type Initiative, itself included) that it belongs to
-- at the end. is_leaf: no issue ever hangs below it. labels: separated by blanks, sorted.
create table hidden.issue (
    issue_id bigint, issue_key text, project_key text, issue_type text, workflow text,
    parent_issue_id bigint, initiative_issue_id bigint, is_leaf boolean, summary text,
    priority text, creator_id integer, assignee_id integer, status text, due_date date,
    labels text, story_points double, created_at timestamp, deleted_at timestamp,
    expected_effort_days double
);

-- One row per changed field of a history. field: status | assignee | resolution | duedate | labels
-- | story_points | fix_version | sprint | priority | issuetype | parent | project | key | link |
-- rank | description | summary. Values as text: a status, resolution, priority, issue type,
-- project key or issue key by name; person_id, version_id, sprint_id, issue_id by number; a date in
-- ISO; null: empty. change_id is Jira's history id: ordered by time, shared by the items of one
-- edit. from_value is what the field held before it.
create table hidden.change (
    change_id bigint, item_index integer, issue_id bigint, changed_at timestamp,
    author_id integer, field text, from_value text, to_value text
);

-- One row per issue and unbroken time in a true phase, from creation on, the last one open. An
-- issue created in a phase has it from then.
create table hidden.phase_span (
    issue_id bigint, span_number integer, phase text, status text, from_at timestamp, to_at timestamp
);

-- One row per issue and unbroken time with an assignee (none: no row).
create table hidden.assignee_span (
    issue_id bigint, person_id integer, from_at timestamp, to_at timestamp
);

-- The true effort: one row per person, day (local to the person) and leaf issue. A person who is
-- at work and has a leaf issue in progress gives the whole contracted day (8 h x fte), split over
-- those issues; nobody works on days off.
create table hidden.effort (
    person_id integer, issue_id bigint, work_date date, seconds integer
);

-- What was booked of it. logged_at may be days later. Profile clean: all effort, to the second.
create table hidden.worklog (
    worklog_id bigint, issue_id bigint, person_id integer, started_at timestamp,
    logged_at timestamp, seconds integer, deleted_at timestamp
);

create table hidden.comment (
    comment_id bigint, issue_id bigint, person_id integer, written_at timestamp
);

create table hidden.version (
    version_id integer, project_key text, name text, started_on date, released_at timestamp
);

create table hidden.sprint (
    sprint_id integer, board_id integer, project_key text, name text, started_at timestamp,
    ends_at timestamp, completed_at timestamp
);

-- One row per initiative: what was planned for it, and what came of it. is_planned_cross and the
-- p_ columns are the planted chances that generated it (certain where the story demands it).
-- planted_median_days, planted_spread: the log-normal that its approval-to-customer time was drawn
-- from, drawn for cancelled ones too. fate: delivered | cancelled | stuck | idea | stopped_idea.
-- released_at: every release; first_available_at the first, available_at the last that lasted.
create table hidden.initiative (
    issue_id bigint, owner_department_id text, lead_id integer, product_id text,
    is_planned_cross boolean, fate text, is_justified boolean, objective_ids text,
    p_delivered double, p_on_time double, p_scope_met double, p_outcome_met double,
    planted_median_days double, planted_spread double,
    idea_at timestamp, approved_at timestamp, started_at timestamp, done_at timestamp,
    first_available_at timestamp, available_at timestamp, cancelled_at timestamp
);

-- One row per initiative and objective it truly serves, whatever its labels say. weights sum to 1.
create table hidden.initiative_objective (
    issue_id bigint, objective_id text, weight double, from_at timestamp, to_at timestamp
);

-- One row per idea. fate: forgotten | rejected | launched | late. p_launched: planted chance of a
-- launch within a year. launched_at, rejected_at null where it never happens.
create table hidden.idea (
    issue_id bigint, department_id text, fate text, p_launched double, is_planned_cross boolean,
    launched_at timestamp, rejected_at timestamp
);

-- Market ---------------------------------------------------------------------------------------

-- One row per product. label: how the initiative that launches it is labelled (null: older than
-- the simulation). on_sale_on: from when deals may contain it.
create table hidden.product (
    product_id text, name text, department_id text, list_price double, label text,
    on_sale_on date, first_sold_on date
);

create table hidden.exchange_rate (currency text, valid_from date, rate double);

-- One row per customer. charm: how easily it is pleased.
create table hidden.customer (
    customer_id text, name text, segment text, owner_id integer, country text, charm double,
    created_at timestamp, archived_at timestamp
);

create table hidden.contact (
    contact_id text, customer_id text, first_name text, last_name text, email text,
    created_at timestamp, archived_at timestamp
);

-- outcome: won | lost | open at HORIZON. p_won: planted.
create table hidden.deal (
    deal_id text, customer_id text, name text, owner_id integer, currency text, p_won double,
    outcome text, archived_at timestamp
);
create table hidden.deal_stage (deal_id text, stage text, entered_at timestamp);
create table hidden.line_item (
    line_item_id text, deal_id text, product_id text, amount double
);

-- One row per ticket of a customer. issue_id: the Jira incident it led to, if any.
create table hidden.ticket (
    ticket_id text, customer_id text, subject text, handler_id integer, issue_id bigint,
    priority text, opened_at timestamp, closed_at timestamp, archived_at timestamp
);
create table hidden.ticket_stage (ticket_id text, stage text, entered_at timestamp);

-- One row per initiative and customer it serves (issue_id: the initiative).
create table hidden.initiative_customer (issue_id bigint, customer_id text);

-- One row per initiative and department that gave true effort to it (whenever it did), by the posts
-- of the day and their shares. function: the department's.
create table hidden.initiative_effort (
    issue_id bigint, department_id text, function text, seconds double
);

-- One row per survey sent to a customer, with the answer it would give. instrument: csat | nps.
-- p_good: planted chance of a good answer (csat >= 4 of 5; nps: promoter), p_bad: of a bad one
-- (csat <= 3; nps: detractor). answers_at: when the answer would come; responded_at: when it was
-- given, null: never. ticket_id: the ticket it asks about (csat), else null.
create table hidden.survey (
    survey_id text, instrument text, customer_id text, ticket_id text, score integer,
    scale_max integer, p_good double, p_bad double, is_touched boolean, sent_at timestamp,
    answers_at timestamp, responded_at timestamp
);

-- One row per employee asked in a wave of the engagement survey. responded_on null: no answer.
create table hidden.engagement (
    response_id text, wave text, person_id integer, department_id text, score integer,
    expected_score double, sent_on date, responded_on date
);
