from django.contrib import admin

from .models import EndedSession, Identity


@admin.register(Identity)
class IdentityAdmin(admin.ModelAdmin):
    list_display = ["subject", "user", "issuer"]
    search_fields = ["subject", "user__email"]
    autocomplete_fields = ["user"]


@admin.register(EndedSession)
class EndedSessionAdmin(admin.ModelAdmin):
    list_display = ["session", "ended_at", "with_offline"]
    search_fields = ["session"]
