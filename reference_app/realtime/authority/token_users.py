"""Users that are made from tokens, with a login name that no token chooses, and their emails."""

import logging
from hashlib import sha256
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import DatabaseError, transaction

from ..identity.issuers import trusted_issuer

logger = logging.getLogger(__name__)


def make_user(subject: str) -> Any:
    """Return the user of a subject, created without a password that could be used or reset."""
    User, name = get_user_model(), login_name(subject)
    defaults = {"password": make_password(None)} | _no_email(name)
    return User.objects.get_or_create(**{User.USERNAME_FIELD: name}, defaults=defaults)[0]


def login_name(subject: str) -> str:
    """Return the login name of a user that is made for a subject of the issuer."""
    # Derived, so that concurrent first visits get the same row, that no subject can spell the name
    # of an administrator made by hand, and that two issuers do not share a user.
    digest = sha256(f"{trusted_issuer().issuer} {subject}".encode()).hexdigest()
    return f"keycloak-{digest[:32]}"


def follow_email(user: Any, claims: dict) -> None:
    """Give a user that was made from tokens the verified email of a token."""
    if not has_new_email(user, claims):
        return
    name = _email_field().name
    usual = getattr(user, name)
    setattr(user, name, email_in(claims))
    try:
        with transaction.atomic():
            user.save(update_fields=[name])
    except DatabaseError as error:
        # Where emails are unique, for example. It must not keep a user out.
        setattr(user, name, usual)
        kind = type(error).__name__
        logger.warning("The email of user %s could not follow the token: %s", user.pk, kind)


def has_new_email(user: Any, claims: dict) -> bool:
    """Whether the email of a user has to follow a token.

    A project may store emails in lower case, so the case is not compared.
    """
    email, field = email_in(claims), _email_field()
    if not (email and field):
        return False
    is_new = email.casefold() != (getattr(user, field.name) or "").casefold()
    return is_new and user.get_username() == login_name(claims["sub"])


def email_in(claims: dict) -> str:
    """Return the verified email of a token, or "" for none, or one that no database would keep."""
    email = claims.get("email") if claims.get("email_verified") is True else None
    return email if isinstance(email, str) and email.isprintable() and len(email) < 255 else ""


def _email_field() -> Any:
    """Return the field for emails, or None where there is none or it is the login name."""
    User = get_user_model()
    name = User.get_email_field_name()
    names = {field.name for field in User._meta.concrete_fields} - {User.USERNAME_FIELD}
    return User._meta.get_field(name) if name in names else None


def _no_email(name: str) -> dict[str, str | None]:
    """Return the value for no email where emails are unique, so that one user only can have ""."""
    field = _email_field()
    return {field.name: None if field.null else name} if field and field.unique else {}
