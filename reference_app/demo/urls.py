from django.apps import apps
from django.urls import path

from . import pages, triggers

urlpatterns = [path("", pages.demo)]

if apps.is_installed("devrealm"):
    # Only for the people of the stand-in: a deployment offers none of these.
    urlpatterns += [
        path("demo/notify/", triggers.notify),
        path("demo/task/", triggers.task),
        path("demo/membership/", triggers.membership),
        path("demo/sign-out/", triggers.sign_out),
        path("demo/restart/", triggers.restart),
    ]
