"""Sessions in the database, read by a query that is written out.

They stay there, and nowhere else, so that a sign-out ends them at once. Every request reads one;
building Django's query for it takes longer than answering it.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone

_FIND = """
    SELECT session_key, session_data, expire_date FROM django_session
    WHERE session_key = %s AND expire_date > %s
"""
_KEY = re.compile("[a-z0-9]{32}")  # what Django makes; a cookie may hold anything else, NUL too


class SessionStore(db.SessionStore):
    """Django's in the database; sessions are signed by this class's name, so it stays."""

    def _validate_session_key(self, key: str | None) -> bool:
        """What no session is called is asked of no database: it is no session at all."""
        return bool(key and _KEY.fullmatch(key))

    def _get_session_from_db(self) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(_FIND, [self.session_key, timezone.now()])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return None
        return self.model(*row)


def end_all(account_id: int) -> None:
    """Sign the account out everywhere. Reads every session there is: no column says whose it is."""
    store = SessionStore()
    rows = store.model.objects.filter(expire_date__gt=timezone.now())
    ended = [
        row.pk
        for row in rows.iterator()
        if store.decode(row.session_data).get(SESSION_KEY) == str(account_id)
    ]
    store.model.objects.filter(pk__in=ended).delete()
