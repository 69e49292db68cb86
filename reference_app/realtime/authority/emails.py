"""Emails of tokens and of users, and which of them are the same."""

import logging
from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError, transaction
from django.db.models import EmailField

logger = logging.getLogger(__name__)


def email_in(claims: dict) -> str:
    """Return the verified email of a token, or "" for none, or one that no database would keep."""
    return claimed_email_in(claims) if claims.get("email_verified") is True else ""


def claimed_email_in(claims: dict) -> str:
    """Return the email of a token, verified or not, or ""."""
    email = claims.get("email")
    return email if isinstance(email, str) and email.isprintable() and len(email) < 255 else ""


def is_login_name() -> bool:
    """Whether the login name of a user is an email."""
    User = get_user_model()
    is_email = isinstance(User._meta.get_field(User.USERNAME_FIELD), EmailField)
    return is_email or User.USERNAME_FIELD == User.get_email_field_name()


def email_field() -> Any:
    """Return the field for emails, or None where there is none or it is the login name."""
    User = get_user_model()
    name = User.get_email_field_name()
    names = {field.name for field in User._meta.concrete_fields} - {User.USERNAME_FIELD}
    return User._meta.get_field(name) if name in names else None


def is_new(user: Any, claims: dict) -> bool:
    """Whether a token has an email that its user could have and has not.

    A project may store emails in lower case, so the case is not compared.
    """
    email, field = email_in(claims), email_field()
    if not (email and field):
        return False
    return email.casefold() != (getattr(user, field.name) or "").casefold()


def store_email(user: Any, claims: dict) -> None:
    """Give a user the verified email of a token, unless the database refuses it."""
    name = email_field().name
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


def lock_users_with(email: str) -> list[Any]:
    """Return the users with an email, which no other transaction can link until this one ends."""
    User, field = get_user_model(), email_field()
    name = User.USERNAME_FIELD if is_login_name() else field and field.name
    if not (name and email):
        return []
    alike = User._base_manager.select_for_update(no_key=True).filter(**{f"{name}__iexact": email})
    return [user for user in alike if is_same_mailbox(getattr(user, name), email)]


def is_same_mailbox(one: str, other: str) -> bool:
    """Whether two emails are the same, or differ in the case of ASCII letters only.

    A database may take `ı` for `i`, which are the same in upper case, and Python takes the sign for
    kelvin for `k`. A token for one mailbox would open the account of another (CVE-2019-19844).
    """
    return one == other or (one + other).isascii() and one.lower() == other.lower()
