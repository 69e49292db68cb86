"""The accounts of the realm."""

from typing import NamedTuple


class Person(NamedTuple):
    """Someone with an account in the realm.

    The password is the username.
    """

    username: str
    subject: str
    given_name: str
    family_name: str

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


PEOPLE = {
    person.username: person
    for person in (
        Person("alice", "a11ce000-0000-4000-8000-000000000001", "Alice", "Archer"),
        Person("bob", "b0b00000-0000-4000-8000-000000000002", "Bob", "Baker"),
        Person("mallory", "ba11ad00-0000-4000-8000-000000000003", "Mallory", "Moss"),
    )
}
