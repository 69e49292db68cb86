"""Addresses that the issuer calls, to be included where it can reach them."""

from django.urls import path

from .rest import backchannel_logout

urlpatterns = [path("backchannel-logout/", backchannel_logout)]
