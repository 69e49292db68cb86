import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from api.models import Organization, SampleResource
from demo.people import settle
from realtime.models import EndedSession, Identity


@pytest.mark.django_db
@pytest.mark.parametrize("model", [EndedSession, Identity, Organization, SampleResource])
def test_administrator_lists_searches_and_adds(model):
    settle()
    staff = Client()
    staff.force_login(get_user_model().objects.create_superuser("staff"))
    name = f"admin:{model._meta.label_lower.replace('.', '_')}"
    assert staff.get(reverse(f"{name}_changelist")).status_code == 200
    assert staff.get(reverse(f"{name}_changelist"), {"q": "example"}).status_code == 200
    assert staff.get(reverse(f"{name}_add")).status_code == 200
    for row in model.objects.all():
        assert staff.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


@pytest.mark.django_db
def test_members_are_edited_with_their_organization():
    organization, staff = settle(), Client()
    staff.force_login(get_user_model().objects.create_superuser("staff"))
    page = staff.get(reverse("admin:api_organization_change", args=[organization.pk]))
    (members,) = page.context["inline_admin_formsets"]
    assert len(members.formset.queryset) == 2
