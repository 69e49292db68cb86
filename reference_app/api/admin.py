from django.contrib import admin

from .models import EndedSession, Identity, Membership, Organization, SampleResource


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    list_display = ["name", "id", "is_active"]
    search_fields = ["name"]
    inlines = [MembershipInline]


@admin.register(Identity)
class IdentityAdmin(admin.ModelAdmin):
    list_display = ["subject", "user"]
    search_fields = ["subject", "user__email"]
    autocomplete_fields = ["user"]


@admin.register(SampleResource)
class SampleResourceAdmin(admin.ModelAdmin):
    list_display = ["name", "org", "created_at"]
    list_filter = ["org"]


@admin.register(EndedSession)
class EndedSessionAdmin(admin.ModelAdmin):
    list_display = ["session", "ended_at"]
    search_fields = ["session"]
