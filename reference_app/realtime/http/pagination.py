"""Answers with rows page by page, so that no answer is longer than a page."""

from collections.abc import Callable
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.http import HttpRequest, JsonResponse

from ..conf import conf
from ..rest import error


def listing(
    request: HttpRequest, name: str, rows: QuerySet, order: str, as_json: Callable[[Any], dict]
) -> JsonResponse:
    """Answer with a page of rows by their name, in the order of a field.

    `next` is what the client sends as `after` to be answered with the next page, or null. It names
    the last row's own values, so that rows which are added or deleted move no other to another
    page. It is signed, because it goes into a query.
    """
    salt = f"page of {rows.model._meta.label}"
    if after := request.GET.get("after"):
        try:
            value, pk = signing.loads(after, salt=salt)
        except signing.BadSignature:
            return error(400, "bad_request", "`after` is not the `next` of another page.")
        rows = rows.filter(Q(**{f"{order}__gt": value}) | Q(**{order: value, "pk__gt": pk}))
    most = conf.ROWS_PER_ANSWER
    page = [*rows.order_by(order, "pk")[: most + 1]]
    following = None
    if len(page) > most:
        last = page[most - 1]
        following = signing.dumps([str(getattr(last, order)), str(last.pk)], salt=salt)
    return JsonResponse({name: [as_json(row) for row in page[:most]], "next": following})
