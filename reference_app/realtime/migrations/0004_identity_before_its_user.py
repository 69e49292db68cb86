import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ..models import Identity

# As in the first migration.
LABEL = Identity._meta.app_label


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        (LABEL, "0003_read_marks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="identity",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="token_identities",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
