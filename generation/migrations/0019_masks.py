"""A picture that a request starts from may have a mask: what of it is painted anew."""

import config.core.storage
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0018_turns_of_end_users'),
    ]

    operations = [
        migrations.AddField(
            model_name='sourcepicture',
            name='mask',
            field=models.FileField(blank=True, db_default='', default='', help_text='Grey levels of its size: white is painted anew, black stays.', max_length=200, storage=config.core.storage.private_storage, upload_to=''),
        ),
        migrations.AddField(
            model_name='sourcepicture',
            name='mask_fill',
            field=models.CharField(blank=True, choices=[('original', 'original'), ('surroundings', 'surroundings'), ('noise', 'noise'), ('nothing', 'nothing')], db_default='', default='', help_text='What lies under the mask at first.', max_length=16),
        ),
        migrations.AddField(
            model_name='sourcepicture',
            name='mask_padding',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Pixels about the mask that are drawn; all when empty.', null=True),
        ),
        migrations.AddField(
            model_name='sourcepicture',
            name='mask_sha256',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AlterField(
            model_name='generatedimage',
            name='source',
            field=models.JSONField(default=dict, help_text='{strength, sha256, image, mask} of what made it; else empty.'),
        ),
        migrations.AddConstraint(
            model_name='sourcepicture',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('mask', ''), ('mask_fill', ''), ('mask_sha256', '')), models.Q(('mask_fill__in', ('original', 'surroundings', 'noise', 'nothing')), models.Q(('mask_sha256', ''), _negated=True)), _connector='OR'), name='generation_source_mask_is_whole'),
        ),
    ]
