"""What the database holds, whoever asks: triggers on what is evidence, and a role without more
rights than its work needs. Pure.

The application's role owns no table, so it can neither alter one nor switch a trigger off; of the
log's tables it may read and insert. What is evidence (`record_rules.py`) is held twice: by these
privileges, and by triggers that hold for the owner too, also in sessions that run as a replica.
"""

import json
import re
from dataclasses import asdict

from provenance.database import record_rules
from provenance.database.record_rules import RecordRule

LOG_TABLES = tuple(table.removeprefix("provenance_") for table in record_rules.log_tables())
HELD, WHOLE = "evidence_is_held", "evidence_is_whole"
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")

# A temporary table comes before all others unless it is named last: the search path keeps anybody
# from handing the trigger a log of their own.
FUNCTION = """
CREATE OR REPLACE FUNCTION public.provenance_hold_evidence() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule jsonb := TG_ARGV[0]::jsonb;
    was jsonb;
    becomes jsonb;
    name text;
    is_sealed boolean;
    is_met boolean;
    has_tombstone boolean := NULL;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'rows of % are never removed: they are evidence', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    was := to_jsonb(OLD);
    IF TG_OP = 'DELETE' THEN
        EXECUTE 'SELECT ' || (rule->>'deleted_when') INTO is_met USING OLD;
        IF is_met THEN
            RETURN OLD;
        END IF;
        IF (rule->>'is_deleted_with_tombstone')::boolean AND EXISTS (
            SELECT 1 FROM public.provenance_logentry e
            WHERE e.subject = (was->>'id')::uuid AND e.kind = rule->>'tombstone'
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'a row of % is never deleted: it is evidence', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    becomes := to_jsonb(NEW);
    is_sealed := rule->>'sealed_by' <> ''
        AND NOT public.provenance_is_empty(was->(rule->>'sealed_by'));
    FOR name IN
        SELECT each.key FROM jsonb_each(becomes) each
        WHERE each.value IS DISTINCT FROM was->each.key
    LOOP
        CONTINUE WHEN NOT is_sealed AND rule->'changes' ? name;
        CONTINUE WHEN NOT is_sealed AND rule->'once' ? name
            AND public.provenance_is_empty(was->name);
        CONTINUE WHEN rule->'forgets' ? name AND public.provenance_is_empty(becomes->name);
        IF rule->'shrinks' ? name AND was->name @> (becomes->name) THEN
            EXECUTE 'SELECT ' || (rule->>'shrinks_when') INTO is_met USING OLD;
            CONTINUE WHEN is_met;
        END IF;
        IF rule->'moves' ? name AND public.provenance_is_empty(becomes->name) THEN
            EXECUTE 'SELECT ' || (rule->>'moves_when') INTO is_met USING OLD;
            CONTINUE WHEN is_met;
        END IF;
        IF rule->'erases' ? name AND (
            public.provenance_is_empty(becomes->name)
            OR jsonb_typeof(was->name) = 'object' AND was->name @> (becomes->name)
        ) THEN
            IF has_tombstone IS NULL THEN
                has_tombstone := EXISTS (
                    SELECT 1 FROM public.provenance_logentry e
                    WHERE e.subject = (was->>'id')::uuid AND e.kind = rule->>'tombstone'
                );
            END IF;
            CONTINUE WHEN has_tombstone;
        END IF;
        RAISE EXCEPTION '% of % is never changed: it is evidence', name, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END LOOP;
    RETURN NEW;
END
$$;
"""
EMPTY = """
CREATE OR REPLACE FUNCTION public.provenance_is_empty(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT value IS NULL OR value IN ('null', '""', '{}', '[]', to_jsonb('\\x'::text))
$$;
"""


def statements(role: str) -> list[str]:
    """The SQL that the owner of the tables runs after every change of them.

    Raises `ValueError` for a name that would need quoting.
    """
    if not _ROLE.fullmatch(role):
        raise ValueError(f"{role!r} is no plain name of a role")
    rows, places = "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"
    held = dict.fromkeys(record_rules.log_tables(), record_rules.EVIDENCE)
    return [
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT {rows} ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT {places} ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rows} ON TABLES TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {places} ON SEQUENCES TO {role}",
        *(
            _take_back(table, rule, role)
            for table, rule in (held | record_rules.evidence()).items()
        ),
    ]


def triggers() -> list[str]:
    """The SQL that holds the evidence, run after every migration; run again it changes nothing."""
    return [EMPTY, FUNCTION, *(_held(table, rule) for table, rule in _evidence())]


def _evidence() -> list[tuple[str, RecordRule]]:
    return list(record_rules.evidence().items())


def _held(table: str, rule: RecordRule) -> str:
    said = json.dumps(asdict(rule)).replace("'", "''")
    function = "public.provenance_hold_evidence"
    return _where_there(
        table,
        f"CREATE OR REPLACE TRIGGER {HELD} BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {function}('{said}');"
        f" CREATE OR REPLACE TRIGGER {WHOLE} BEFORE TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}('{{}}');"
        f" ALTER TABLE {table} ENABLE ALWAYS TRIGGER {HELD};"
        f" ALTER TABLE {table} ENABLE ALWAYS TRIGGER {WHOLE};",
    )


def _take_back(table: str, rule: RecordRule, role: str) -> str:
    """What the rule does not need."""
    rights = ["SELECT", "INSERT", *["UPDATE"] * rule.is_updated, *["DELETE"] * rule.is_deleted]
    return _where_there(
        table,
        f"REVOKE ALL ON {table} FROM {role}; GRANT {', '.join(rights)} ON {table} TO {role};",
    )


def _where_there(table: str, statement: str) -> str:
    """Where the table is there already: before its migration it is not."""
    return (
        f"DO $do$ BEGIN IF to_regclass('public.{table}') IS NOT NULL THEN {statement}"
        " END IF; END $do$"
    )
