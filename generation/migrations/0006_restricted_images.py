"""Released images that are shown blurred, or to adults only."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0005_live_requests")]

    operations = [
        migrations.AlterField(
            model_name="generatedimage",
            name="code",
            field=models.CharField(blank=True, help_text="Why it is held, withheld or restricted.", max_length=64),
        ),
        migrations.AddField(
            model_name="generatedimage",
            name="restriction",
            field=models.CharField(blank=True, choices=[("blurred", "Blurred"), ("age_restricted", "for adults")], max_length=16, default="", db_default=""),
        ),
        migrations.AddField(
            model_name="generatedimage",
            name="shown_at",
            field=models.DateTimeField(blank=True, help_text="When its owner chose to see a blurred one.", null=True),
        ),
        migrations.AddConstraint(
            model_name="generatedimage",
            constraint=models.CheckConstraint(condition=models.Q(("restriction", ""), ("state", "released"), _connector="OR"), name="generation_image_restricted_when_released"),
        ),
    ]
