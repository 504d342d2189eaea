"""Labels, presentations and reports are never changed or deleted, by whatever client.

A deleted user may still be unnamed in them: the column that each trigger names may become null.
"""

from django.db import migrations

TABLES = {"audits_label": "reviewer_id", "audits_presentation": "", "audits_audit": "made_by_id"}

FORWARD = """
CREATE FUNCTION audits_row_never_changes() RETURNS trigger AS $$
DECLARE
    unnamed text := TG_ARGV[0];
BEGIN
    IF TG_OP = 'UPDATE' AND unnamed <> ''
        AND to_jsonb(NEW) - unnamed = to_jsonb(OLD) - unnamed
        AND (to_jsonb(NEW) -> unnamed = 'null'::jsonb
             OR to_jsonb(NEW) -> unnamed = to_jsonb(OLD) -> unnamed)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a row of % is never changed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$ LANGUAGE plpgsql;
""" + "".join(
    f"""
CREATE TRIGGER {table}_never_changes BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION audits_row_never_changes('{column}');
"""
    for table, column in TABLES.items()
)

BACKWARD = "".join(
    f"DROP TRIGGER {table}_never_changes ON {table};\n" for table in TABLES
) + "DROP FUNCTION audits_row_never_changes();"


class Migration(migrations.Migration):
    dependencies = [("audits", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
