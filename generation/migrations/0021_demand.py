"""How much there is to draw, by hardware tier, for whoever scales the workers."""

from django.db import migrations

# Of what was accepted, with what is predicted to be left of what is drawn already, where a clock that is
# ahead adds nothing. It tells neither who asked nor for what: a scaler's role reads nothing else.
VIEW = """
CREATE VIEW generation_demand AS
SELECT model.tier, sum(
    greatest(request.predicted_ms - CASE WHEN request.status = 'running'
        THEN greatest(extract(epoch FROM now() - request.started_at), 0) * 1000 ELSE 0 END, 0)
    ) / 1000 AS device_seconds
FROM generation_generationrequest request JOIN adapters_basemodel model ON model.id = request.model_id
WHERE request.status IN ('submitted', 'queued', 'running')
    AND NOT request.is_held AND request.cancel_requested_at IS NULL
GROUP BY model.tier
"""


class Migration(migrations.Migration):
    dependencies = [
        ("adapters", "0009_same_file_in_a_project"),
        ("generation", "0020_resize_modes"),
    ]

    operations = [migrations.RunSQL(VIEW, reverse_sql="DROP VIEW generation_demand")]
