from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("demo.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("api.urls")),
]

if apps.is_installed("devrealm"):
    urlpatterns.append(path("", include("devrealm.urls")))

if settings.DEBUG:
    # A deployment's nginx serves them; without DEBUG this would add nothing.
    from django.contrib.staticfiles.urls import staticfiles_urlpatterns

    # Said here, because STATIC_URL has the root path in front of it while a request is served.
    urlpatterns += staticfiles_urlpatterns("/static/")
