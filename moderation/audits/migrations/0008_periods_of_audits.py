from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("audits", "0007_decisions_on_reports"),
    ]

    operations = [
        migrations.AddField(
            model_name="audit",
            name="ended_on",
            field=models.DateField(
                help_text="Last day of the period; none for a suite.", null=True
            ),
        ),
    ]
