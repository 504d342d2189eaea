"""Triggers that make the log append-only, also for sessions that run as a replica."""

from django.db import migrations

TABLES = ("logentry", "leaf", "node", "checkpoint")

FUNCTION = """
CREATE FUNCTION provenance_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The transparency log is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
"""
TRIGGERS = "\n".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON provenance_{table}
    FOR EACH ROW EXECUTE FUNCTION provenance_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON provenance_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION provenance_refuse_change();
ALTER TABLE provenance_{table} ENABLE ALWAYS TRIGGER {table}_append_only;
ALTER TABLE provenance_{table} ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in TABLES
)
UNDO = "\n".join(
    f"""
DROP TRIGGER {table}_append_only ON provenance_{table};
DROP TRIGGER {table}_no_truncate ON provenance_{table};
"""
    for table in TABLES
)


class Migration(migrations.Migration):
    dependencies = [("provenance", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION provenance_refuse_change();"),
        migrations.RunSQL(TRIGGERS, UNDO),
    ]
