"""Expectations on what the CRM delivered: raw_crm, its staging and the seed of its stages.

Belongs here: rules on deals, accounts and survey responses before any metric. Does not belong
here: what the marts make of them.
"""

# ruff: noqa: S608  (every part of the SQL is a constant of this package)

from __future__ import annotations

from dataclasses import replace

from dagster_project.quality.checks import Suite, among, no_rows
from dagster_project.quality.suites.streams import stream_checks

ACCOUNTS = "staging.stg_crm__accounts"
DEALS = "staging.stg_crm__deals"
SURVEYS = "staging.stg_crm__surveys"

SCORE_SQL = "select source_id, response_id, instrument, score, scale_max from batch where "
SCORE_IS_OFF_SCALE = "score < 0 or score > scale_max or scale_max <= 0"

SUITE = Suite.of(
    "crm",
    ("innovation_index",),
    (
        *stream_checks("crm"),
        no_rows(
            DEALS,
            "dates_are_plausible",
            """
            select source_id, deal_id, created_at, closed_at from batch
            where created_at < timestamp '1990-01-01' or closed_at < created_at
            """,
            "A deal was created after 1990 and not closed before it was created.",
            severity="warn",
        ),
        no_rows(
            DEALS,
            "amount_is_not_negative",
            "select source_id, deal_id, amount from batch where amount < 0",
            "No deal has a negative amount.",
            severity="warn",
        ),
        no_rows(
            DEALS,
            "currency_is_a_code",
            "select source_id, currency, count(*) as deals from batch "
            "where not regexp_full_match(currency, '[A-Z]{3}') group by all",
            "Currencies are codes of three capital letters (ISO 4217).",
            severity="warn",
        ),
        no_rows(
            DEALS,
            "stage_is_mapped",
            """
            select source_id, stage, count(*) as deals
            from batch
            where not exists (
                select 1 from seeds.crm_stage_map as map
                where map.stage = batch.stage and map.source_id in (batch.source_id, '*')
            )
            group by all
            """,
            "Every stage has an outcome in crm_stage_map; a deal in an unmapped one is not won.",
            severity="warn",
        ),
        no_rows(
            DEALS,
            "won_deals_are_closed",
            """
            select source_id, deal_id, stage
            from batch
            where closed_at is null and exists (
                select 1 from seeds.crm_stage_map as map
                where map.stage = batch.stage and map.source_id in (batch.source_id, '*')
                  and map.outcome = 'won'
            )
            """,
            "A won deal says when; without the day its revenue belongs to no period.",
            severity="warn",
        ),
        no_rows(
            DEALS,
            "account_is_known",
            f"""
            select source_id, deal_id, account_id
            from batch
            where account_id is not null
              and (source_id, account_id) not in (select (source_id, account_id) from {ACCOUNTS})
            """,
            "The account of a deal was delivered too.",
            severity="warn",
        ),
        *(
            replace(check, metrics=("customer_satisfaction",))
            for check in (
                among(
                    SURVEYS,
                    "instrument",
                    ("csat", "nps"),
                    "Responses come from instruments that have a definition.",
                ),
                no_rows(
                    SURVEYS,
                    "score_is_on_its_scale",
                    SCORE_SQL + SCORE_IS_OFF_SCALE,
                    "A score lies between 0 and the top of its scale.",
                    severity="warn",
                ),
                no_rows(
                    SURVEYS,
                    "scores_off_their_scale_are_rare",
                    f"select count(*) filter ({SCORE_IS_OFF_SCALE}) as off_scale, count(*) as "
                    f"responses from batch having off_scale > 0.05 * responses",
                    "At most 5% of the scores lie off their scale: more means a wrong mapping.",
                ),
                no_rows(
                    SURVEYS,
                    "nps_scale_is_ten",
                    SCORE_SQL + "instrument = 'nps' and scale_max <> 10",
                    "NPS is asked on a scale of 0 to 10; its classes mean nothing on another.",
                    severity="warn",
                ),
            )
        ),
    ),
)
