"""A salt in each decision, so that the log's digest says nothing to who guesses what was decided.

Decisions of before keep an empty one, and their digests.
"""

from django.db import migrations, models

import moderation.models.decisions


class Migration(migrations.Migration):
    dependencies = [("moderation", "0014_compliance_proposes_policies")]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="salt",
            field=models.BinaryField(default=b"", help_text="In the digest that the log keeps."),
        ),
        migrations.AlterField(
            model_name="decision",
            name="salt",
            field=models.BinaryField(default=moderation.models.decisions.new_salt, help_text="In the digest that the log keeps."),
        ),
    ]
