from django.urls import include, path

from . import views

realm = [
    path(".well-known/openid-configuration", views.discovery),
    path("protocol/openid-connect/certs", views.certs),
    path("protocol/openid-connect/token", views.token, name="devrealm-token"),
]

urlpatterns = [path("realms/demo/", include(realm))]
