"""Users of any user model, and the subjects of their tokens."""

import itertools
import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import models
from django.utils import timezone

from ..identity.issuers import trusted_issuer
from ..models import Identity

numbers = itertools.count(1)

# The value of a required field of each type, by the name of the user.
VALUES = {
    models.EmailField: lambda name: f"{name}@example.com",
    models.CharField: lambda name: name,
    models.TextField: lambda name: name,
    models.IntegerField: lambda name: next(numbers),
    models.DecimalField: lambda name: next(numbers),
    models.FloatField: lambda name: next(numbers),
    models.BooleanField: lambda name: False,
    models.DateTimeField: lambda name: timezone.now(),
    models.DateField: lambda name: timezone.now().date(),
    models.UUIDField: lambda name: uuid.uuid4(),
    models.JSONField: lambda name: {},
}


def make_user(name: str, **fields: Any) -> Any:
    """Return a new user of the project's model, with a value in each required field.

    `fields` are values of your own. `REALTIME_USER` has no part in it. Raises ValueError for a
    required field that needs one of them.
    """
    return _make(get_user_model(), name, {"password": make_password(None)} | fields)


def known_user(subject: str) -> Any:
    """Return a new user, to whom the tokens of a subject belong."""
    user = make_user(subject)
    Identity.objects.create(issuer=trusted_issuer().issuer, subject=subject, user=user)
    return user


def subject_of(user: Any) -> str:
    """Return the subject of the tokens of a user, who is known by it from now on."""
    usual = {"subject": f"user-{user.pk}"}
    here = {"issuer": trusted_issuer().issuer, "user": user}
    return Identity.objects.get_or_create(**here, defaults=usual)[0].subject


def _make(model: Any, name: str, fields: dict[str, Any]) -> Any:
    required = [field for field in model._meta.concrete_fields if _is_required(field)]
    given = {field.name: _value(field, name) for field in required if field.name not in fields}
    return model._default_manager.create(**given | fields)


def _is_required(field: Any) -> bool:
    """Whether a row cannot be made without a value, or no second one."""
    dates = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    counted = field.auto_created or isinstance(field, models.AutoField)
    has_value = field.has_default() or field.has_db_default() or field.generated
    is_optional = field.null or (field.blank and not field.unique)
    return not (dates or counted or has_value or is_optional)


def _value(field: Any, name: str) -> Any:
    if field.choices:
        return next(iter(field.flatchoices))[0]
    if field.related_model:
        return field.related_model._default_manager.first() or _make(field.related_model, name, {})
    kind = next((kind for kind in VALUES if isinstance(field, kind)), None)
    if kind is None:
        raise ValueError(f"No value is known for {field}. Pass one: {field.name}=…")
    value = VALUES[kind](name)
    return value[: field.max_length] if isinstance(value, str) else value
