"""Looks at the rows in a transaction of its own, under a lock that holds nobody up."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0024_traces'),
    ]

    operations = [
        ValidateConstraint(
            model_name='generationrequest', name='generation_request_rescale_in_range'
        ),
    ]
