"""One round trip for an append, and no check of a reference that cannot break.

The two foreign keys point to entries, which triggers keep from being deleted; `verify_log` compares
them with the tree.
"""

import django.db.models.deletion
from django.db import migrations, models

APPEND = """
CREATE FUNCTION provenance_append(
    kind varchar, subject uuid, body bytea, at timestamptz
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO provenance_logentry (kind, subject, body, at)
        VALUES (kind, subject, body, at) RETURNING id INTO made;
    INSERT INTO provenance_pendingentry (entry_id) VALUES (made);
    RETURN made;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("provenance", "0003_asset_likeness")]

    operations = [
        migrations.AlterField(
            "pendingentry",
            "entry",
            models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                primary_key=True,
                related_name="pending",
                serialize=False,
                to="provenance.logentry",
            ),
        ),
        migrations.AlterField(
            "leaf",
            "entry",
            models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="leaf",
                to="provenance.logentry",
            ),
        ),
        migrations.RunSQL(
            APPEND, "DROP FUNCTION provenance_append(varchar, uuid, bytea, timestamptz);"
        ),
    ]
