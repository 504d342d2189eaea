"""Decisions are never changed or deleted, by whatever client: the database refuses it.

A deleted user may still be unnamed in them (owner and decider become null), nothing else.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION moderation_decision_never_changes() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - 'owner_id' - 'decided_by_id' = to_jsonb(OLD) - 'owner_id' - 'decided_by_id'
        AND (NEW.owner_id IS NULL OR NEW.owner_id = OLD.owner_id)
        AND (NEW.decided_by_id IS NULL OR NEW.decided_by_id = OLD.decided_by_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a decision is never changed' USING ERRCODE = 'restrict_violation';
END
$$ LANGUAGE plpgsql;

CREATE TRIGGER moderation_decision_never_changes BEFORE UPDATE OR DELETE ON moderation_decision
    FOR EACH ROW EXECUTE FUNCTION moderation_decision_never_changes();
"""

BACKWARD = """
DROP TRIGGER moderation_decision_never_changes ON moderation_decision;
DROP FUNCTION moderation_decision_never_changes();
"""


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
