from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import CharField

from .models import EndedSession, Identity


@admin.register(Identity)
class IdentityAdmin(admin.ModelAdmin):
    list_display = ["subject", "user", "issuer"]
    list_select_related = ["user"]
    # An `autocomplete_fields` would need the project's own admin of users, with search fields.
    raw_id_fields = ["user"]

    def get_search_fields(self, request):
        User = get_user_model()
        names = {User.USERNAME_FIELD, User.get_email_field_name()}
        texts = [f.name for f in User._meta.concrete_fields if isinstance(f, CharField)]
        return ["subject", *(f"user__{name}" for name in texts if name in names)]


@admin.register(EndedSession)
class EndedSessionAdmin(admin.ModelAdmin):
    list_display = ["session", "ended_at", "with_offline"]
    search_fields = ["session"]
