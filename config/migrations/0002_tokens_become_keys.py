"""Tokens were kept in clear, with every right and without an end. Each becomes a key: of its SHA-256
alone, with all scopes, that ends in 90 days. The clear text goes, and with it the table."""

from django.db import migrations

TAKE_OVER = """
    INSERT INTO house_apikey (owner_id, name, digest, hint, scopes, made_at, expires_at)
    SELECT user_id, 'Token from before there were keys',
           encode(sha256(convert_to(key, 'UTF8')), 'hex'), left(key, 4),
           '["export", "generate", "operate", "read", "review", "verify"]'::jsonb,
           created, now() + interval '90 days'
    FROM authtoken_token
"""
FORGET = (
    "DROP TABLE authtoken_token",
    "DELETE FROM auth_group_permissions WHERE permission_id IN (SELECT p.id FROM auth_permission p"
    " JOIN django_content_type t ON t.id = p.content_type_id WHERE t.app_label = 'authtoken')",
    "DELETE FROM auth_user_user_permissions WHERE permission_id IN (SELECT p.id FROM"
    " auth_permission p JOIN django_content_type t ON t.id = p.content_type_id"
    " WHERE t.app_label = 'authtoken')",
    "DELETE FROM auth_permission WHERE content_type_id IN"
    " (SELECT id FROM django_content_type WHERE app_label = 'authtoken')",
    "UPDATE django_admin_log SET content_type_id = NULL WHERE content_type_id IN"
    " (SELECT id FROM django_content_type WHERE app_label = 'authtoken')",
    "DELETE FROM django_content_type WHERE app_label = 'authtoken'",
    "DELETE FROM django_migrations WHERE app = 'authtoken'",
)


def tokens_become_keys(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('authtoken_token') IS NOT NULL")
        if cursor.fetchone()[0]:
            for statement in (TAKE_OVER, *FORGET):
                cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ("house", "0001_api_keys"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(tokens_become_keys, migrations.RunPython.noop)]
