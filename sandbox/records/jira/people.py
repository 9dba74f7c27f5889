"""Jira's users.

What belongs here: accounts as others see them. What does not: who is behind them, which nobody
who reads Jira is told.
"""

from __future__ import annotations

from sandbox.records.jira.catalogue import API, BASE_URL
from sandbox.records.jira.wire import Wire
from sandbox.records.json_text import bare, json_object, plain, quoted, string

_NAME = "case when is_renamed then renamed_to else display_name end"
_WHO = {"accountId": plain("account_id"), "displayName": string(_NAME)}
_LISTED = {
    "self": string(f"{quoted(API + '/user?accountId=')} || account_id"),
    **_WHO,
    "active": bare("is_active"),
    "accountType": plain("account_type"),
    "timeZone": plain("zone"),
}
_EMAIL = {"emailAddress": "case when is_email_shown then to_json(email)::varchar end"}


def user(wire: Wire) -> str:
    """SQL of the JSON text of a user in other records.

    Reads columns of hidden.account with `is_renamed`, `is_active` and `zone`. The e-mail is left
    out where its owner hides it.
    """
    if not wire.is_full:
        return json_object(_WHO, _EMAIL)
    return json_object(
        {
            **_LISTED,
            "avatarUrls": json_object(
                {
                    size: string(f"{quoted(f'{BASE_URL}/avatars/{size}/')} || account_id")
                    for size in ("48x48", "24x24", "16x16", "32x32")
                }
            ),
        },
        _EMAIL,
    )


def listed_user() -> str:
    """SQL of the JSON text of a user in a file of users, over the same columns."""
    return json_object(_LISTED, _EMAIL)
