from django.contrib import admin

from .models import Membership, Organization, SampleResource


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    list_display = ["name", "id", "is_active"]
    search_fields = ["name"]
    inlines = [MembershipInline]


@admin.register(SampleResource)
class SampleResourceAdmin(admin.ModelAdmin):
    list_display = ["name", "org", "created_at"]
    list_filter = ["org"]
