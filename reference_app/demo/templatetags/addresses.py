from django import template
from django.templatetags.static import static

from demo.addresses import seen_from

register = template.Library()


@register.simple_tag(takes_context=True)
def relative_static(context, name: str) -> str:
    """Return the address of a static file, relative to the page that is rendered."""
    return seen_from(context["request"].path, static(name))
