from django.urls import include, path

from . import triggers, views

realm = [
    path(".well-known/openid-configuration", views.discovery),
    path("protocol/openid-connect/certs", views.certs),
    path("protocol/openid-connect/token", views.token, name="devrealm-token"),
]

demo = [
    path("task/", triggers.task),
    path("membership/", triggers.membership),
    path("sign-out/", triggers.sign_out),
    path("restart/", triggers.restart),
]

urlpatterns = [path("realms/demo/", include(realm)), path("demo/", include(demo))]
