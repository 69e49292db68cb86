from django.contrib.auth.hashers import make_password
from django.db import migrations, models

from ..models import Identity

# As in the first migration.
LABEL = Identity._meta.app_label


def make_empty_passwords_unusable(apps, schema_editor):
    """Keep users of tokens from Django's password reset, which takes "" for a usable password."""
    identities = apps.get_model(LABEL, "Identity").objects.using(schema_editor.connection.alias)
    for identity in identities.filter(user__password="").select_related("user").iterator():
        identity.user.password = make_password(None)
        identity.user.save(update_fields=["password"])


class Migration(migrations.Migration):
    dependencies = [(LABEL, "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="endedsession",
            name="with_offline",
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddField(
            model_name="identity",
            name="signed_out_at",
            field=models.BigIntegerField(db_default=0, editable=False),
        ),
        migrations.AddField(
            model_name="identity",
            name="offline_signed_out_at",
            field=models.BigIntegerField(db_default=0, editable=False),
        ),
        migrations.RunPython(make_empty_passwords_unusable, migrations.RunPython.noop),
    ]
