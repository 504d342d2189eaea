from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("house", "0004_role_changes")]

    operations = [
        migrations.AlterField(
            model_name="rolechange",
            name="kind",
            field=models.CharField(
                choices=[
                    ("give", "give the role"),
                    ("take", "take the role away"),
                    ("second_factor", "take the second factor off"),
                    ("close", "close the account"),
                    ("open", "open the account again"),
                ],
                max_length=16,
            ),
        ),
    ]
