"""A function for REALTIME_USER that fills what a user model requires."""

from tests.wire.variants.own_users.models import Department, Employee


def employ(claims):
    department = Department.objects.create(name=claims["department"])
    return Employee.objects.create(number=claims["sub"], department=department)
