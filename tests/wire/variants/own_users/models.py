"""Usual user models, and a usual pair of organization and membership."""

import uuid

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models


class ActivePeople(BaseUserManager):
    """Leaves out people who are disabled, and cannot make any by a login name alone."""

    def get_queryset(self):
        return super().get_queryset().filter(is_active=True)


class Person(AbstractUser):
    """Logs in by email, and has a UUID."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = None
    email = models.EmailField(unique=True)

    objects = ActivePeople()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []


class Robot(AbstractBaseUser):
    """Has a UUID, no email, and no field that could disable it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "name"


class Department(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name


class Employee(AbstractBaseUser):
    """Has to be in a department."""

    number = models.CharField(max_length=100, unique=True)
    department = models.ForeignKey(Department, on_delete=models.CASCADE)
    work_email = models.EmailField(blank=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "number"
    EMAIL_FIELD = "work_email"


class Customer(AbstractBaseUser):
    """Has to have a phone number, which the database takes for given when it is empty."""

    login = models.EmailField(unique=True)
    phone = models.CharField(max_length=20)

    objects = BaseUserManager()

    USERNAME_FIELD = "login"


class Applicant(AbstractBaseUser):
    """Has to be told whether it is active."""

    name = models.CharField(max_length=100, unique=True)
    is_active = models.BooleanField()

    objects = BaseUserManager()

    USERNAME_FIELD = "name"


class Badge(models.Model):  # noqa: DJ008
    """Has the name that comes to mind for what ties a user to a token."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )


class Organization(models.Model):  # noqa: DJ008
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="organizations"
    )


class Membership(models.Model):  # noqa: DJ008
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
