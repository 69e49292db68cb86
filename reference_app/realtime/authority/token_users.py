"""Users of tokens, who are made or found at the first visit of a subject."""

from hashlib import sha256
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from ..conf import conf
from ..identity.issuers import trusted_issuer
from ..models import Identity
from .emails import (
    claimed_email_in,
    email_field,
    email_in,
    is_login_name,
    is_new,
    lock_users_with,
    store_email,
)


class NoAccountError(Exception):
    """A subject gets no account, for a reason that is for the log and not for the client."""


def make_user(claims: dict) -> Any:
    """Return a new user with a login name that no token can choose, and no usable password.

    Its email is the verified one of the token, unless emails are the login names. Raises
    NoAccountError where the person may have an account already, or where a required field would
    stay empty.
    """
    User, name = get_user_model(), login_name(claims["sub"])
    if is_login_name():
        _refuse_known_person(claims)
    given = {"password": make_password(None)} | _no_email(name)
    user, _ = User._base_manager.get_or_create(**{User.USERNAME_FIELD: name}, defaults=given)
    if empty := _empty_fields(user):
        raise NoAccountError(
            f"{User.__name__} has required fields that no token fills ({', '.join(empty)}). Set "
            "REALTIME_USER to a function of your own."
        )
    if is_new(user, claims):
        store_email(user, claims)
    return user


def link_by_verified_email(claims: dict) -> Any:
    """Return the active user with the verified email of a token, or a new one if no user has it.

    This is for projects that have verified the emails of their users too. Raises NoAccountError for
    an email of several users or of a disabled one. The same goes for administrators, because an
    email must not give their rights, and for users that another subject of the issuer has, because
    an email may be given to another person (OpenID Connect Core, 5.7).
    """
    found = lock_users_with(email_in(claims))
    if not found:
        return make_user(claims)
    active = [user for user in found if user.is_active]
    if len(active) != 1:
        raise NoAccountError(f"{len(active)} active users have the token's email, not 1.")
    if fault := _obstacle(active[0]):
        advice = "If they are the same person, tie them by an Identity in the admin."
        raise NoAccountError(f"The user with the token's email {fault}. {advice}")
    return active[0]


def follow_email(user: Any, claims: dict) -> None:
    """Give a user that was made from tokens the verified email of a token."""
    if has_new_email(user, claims):
        store_email(user, claims)


def has_new_email(user: Any, claims: dict) -> bool:
    """Whether the email of a user has to follow a token.

    It does where `make_user` made the user. A function of the project's own decides by itself.
    """
    is_made = is_new(user, claims) and user.get_username() == login_name(claims["sub"])
    return is_made and conf.USER in (make_user, link_by_verified_email)


def login_name(subject: str) -> str:
    """Return the login name of a user that is made for a subject of the issuer."""
    # Derived, so that a user that has lost its identity is found again, that no subject can spell
    # the name of an administrator made by hand, and that two issuers do not share a user.
    digest = sha256(f"{trusted_issuer().issuer} {subject}".encode()).hexdigest()
    return f"keycloak-{digest[:32]}"


def _refuse_known_person(claims: dict) -> None:
    """Raise NoAccountError unless an email rules out that its person has an account already.

    It need not be verified, because it opens no account.
    """
    User, email = get_user_model(), claimed_email_in(claims)
    known = User._base_manager.filter(**{f"{User.USERNAME_FIELD}__iexact": email})
    if email and not known.exists():
        return
    fault = "A user logs in by the token's email" if email else "The token has no email"
    path = f"{__name__}.{link_by_verified_email.__name__}"
    raise NoAccountError(
        f"{fault}, so its person may have an account already. Have the issuer put verified emails "
        f"into tokens, and set REALTIME_USER to {path!r}, or to a function of your own."
    )


def _no_email(name: str) -> dict[str, str | None]:
    """Return the value for no email where emails are unique, so that one user only can have ""."""
    field = email_field()
    return {field.name: None if field.null else name} if field and field.unique else {}


def _empty_fields(user: Any) -> list[str]:
    """Return the names of the required fields that hold nothing, but for the email."""
    needed = {f for f in user._meta.concrete_fields if not (f.blank or f.null)} - {email_field()}
    return sorted(field.name for field in needed if getattr(user, field.attname) in (None, ""))


def _obstacle(user: Any) -> str:
    """Say why no email may open the account of a user, or return ""."""
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return "is an administrator"
    # Where the user is locked, and not in a replica, which may lag behind.
    tied = Identity.objects.using(user._state.db).filter(user=user, issuer=trusted_issuer().issuer)
    return "is tied to another subject of the issuer" if tied.exists() else ""
