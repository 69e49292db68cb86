"""Django for a process of a run that serves nothing."""


def set_up() -> None:
    """Set Django up without the app `daphne`, which is there for `runserver`.

    It imports Twisted, which takes a third of the CPU that such a process needs to start.
    """
    import django
    from django.conf import settings

    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "daphne"]
    django.setup()
