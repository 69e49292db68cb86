import api.models
from django.db import migrations, models
from django.db.models.functions import Now

# What was sent before entries had tags is one history, told from others by one tag.
UNTAGGED = "untagged"


class Migration(migrations.Migration):
    dependencies = [("api", "0003_streams")]

    operations = [
        migrations.CreateModel(
            name="PendingEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream", models.CharField(db_index=True, max_length=100)),
                ("frame", models.TextField()),
                ("created_at", models.DateTimeField(db_default=Now())),
            ],
            options={"verbose_name_plural": "pending entries"},
        ),
        migrations.RemoveField(model_name="stream", name="epoch"),
        migrations.AddField(
            model_name="stream",
            name="tag",
            field=models.CharField(default=UNTAGGED, editable=False, max_length=8),
        ),
        migrations.AlterField(
            model_name="stream",
            name="tag",
            field=models.CharField(default=api.models.new_tag, editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name="stream",
            name="previous",
            field=models.CharField(default="", editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name="entry",
            name="tag",
            field=models.CharField(default=UNTAGGED, max_length=8),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="entry",
            name="previous",
            field=models.CharField(default=UNTAGGED, max_length=8),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="entry",
            name="created_at",
            field=models.DateTimeField(db_default=Now()),
        ),
    ]
