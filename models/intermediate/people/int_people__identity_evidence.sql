with

    accounts as (select * from {{ ref("int_people__accounts") }}),

    employees as (select * from {{ ref("int_people__employees") }}),

    overrides as (select * from {{ ref("identity_overrides") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    shared_mailboxes as (select lower(trim(email)) as email from {{ ref("shared_mailboxes") }}),

    person_secret as (select * from {{ ref("stg_mission__person_secret") }}),

    unique_emails as (
        select email, max(person_key) as person_key
        from employees
        where email is not null
        group by email
        having count(*) = 1
    ),

    -- Names return: only those who are in the company today are known by theirs, whereas an e-mail
    -- stays with its leaver.
    unique_names as (
        select employees.full_name, max(employees.person_key) as person_key
        from employees
        cross join build
        where
            employees.full_name is not null
            and (employees.hired_on is null or employees.hired_on <= build.as_of_date)
            and (employees.terminated_on is null or employees.terminated_on >= build.as_of_date)
        group by employees.full_name
        having count(*) = 1
    ),

    -- An e-mail or a name that two accounts of one source share proves nothing about either of
    -- them.
    account_emails as (
        select source_id, email, count(*) as accounts_n
        from accounts
        where email is not null
        group by source_id, email
    ),

    account_names as (
        select source_id, full_name, count(*) as accounts_n
        from accounts
        where full_name is not null
        group by source_id, full_name
    ),

    final as (
        select
            accounts.source_id,
            accounts.source_user_id,
            {{
                person_key(
                    "overrides.person_source_id || ':' || overrides.person_native_id",
                    "person_secret",
                )
            }} as person_key,
            'override' as method,
            1.0 as confidence,
            1 as evidence_rank,
            overrides.valid_from,
            overrides.valid_to
        from accounts
        inner join
            overrides
            on overrides.source_id = accounts.source_id
            and overrides.source_user_id = accounts.source_user_id
        cross join person_secret
        cross join build
        where
            (overrides.valid_from is null or overrides.valid_from <= build.as_of_date)
            and (overrides.valid_to is null or overrides.valid_to > build.as_of_date)
        union all
        select
            accounts.source_id,
            accounts.source_user_id,
            unique_emails.person_key,
            'email',
            0.99,
            2,
            cast(null as date),
            cast(null as date)
        from accounts
        inner join unique_emails on unique_emails.email = accounts.email
        inner join
            account_emails
            on account_emails.source_id = accounts.source_id
            and account_emails.email = accounts.email
            and account_emails.accounts_n = 1
        left join shared_mailboxes on shared_mailboxes.email = accounts.email
        where shared_mailboxes.email is null
        union all
        select
            accounts.source_id,
            accounts.source_user_id,
            unique_names.person_key,
            'full_name',
            0.9,
            3,
            cast(null as date),
            cast(null as date)
        from accounts
        inner join unique_names on unique_names.full_name = accounts.full_name
        inner join
            account_names
            on account_names.source_id = accounts.source_id
            and account_names.full_name = accounts.full_name
            and account_names.accounts_n = 1
        left join shared_mailboxes on shared_mailboxes.email = accounts.email
        where shared_mailboxes.email is null
        union all
        select
            accounts.source_id,
            accounts.source_user_id,
            {{
                person_key(
                    "accounts.source_id || ':' || accounts.source_user_id", "person_secret"
                )
            }},
            'none',
            cast(null as double),
            9,
            cast(null as date),
            cast(null as date)
        from accounts
        cross join person_secret
        union all
        select
            source_id,
            employee_id,
            person_key,
            'hr_record',
            1.0,
            0,
            cast(null as date),
            cast(null as date)
        from employees
    )

select *
from final
