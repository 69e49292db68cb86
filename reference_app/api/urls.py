from django.urls import include, path

from . import routing, views  # noqa: F401  (routing registers the any_uuid converter)

urlpatterns = [
    path("", include("realtime.urls")),
    path("me/", views.who_am_i),
    path("me/organizations/", views.my_organizations),
    path("me/notifications/", views.my_notifications),
    path("me/notifications/read/", views.read_notifications),
    path("organizations/<any_uuid:org_id>/events/", views.events),
    path("organizations/<any_uuid:org_id>/resources/", views.resources),
]
