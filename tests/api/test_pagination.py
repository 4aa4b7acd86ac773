"""Pages: the items of a query for one more than the limit, and the cursor of what follows."""

import pytest

from app.api.pagination import decode_cursor, identifier, page, sequence_number
from app.errors import Invalid


def place(name):
    return (name, len(name))


@pytest.mark.parametrize(
    ("found", "items"),
    [("", []), ("a", ["a"]), ("ab", ["a", "b"])],
    ids=["nothing", "less than a page", "exactly a page"],
)
def test_the_last_page_has_no_cursor(found, items):
    assert page(list(found), 2, place) == (items, None)


def test_the_cursor_of_a_full_page_is_the_place_of_its_last_item():
    items, cursor = page(["a", "bb", "ccc"], 2, place)
    assert items == ["a", "bb"]
    assert decode_cursor(cursor, identifier, sequence_number) == ("bb", 2)


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WyJhIiwgMSwgMl0", "bnVsbA", "WzEsIDJd"])
def test_a_cursor_that_was_never_returned_is_rejected(cursor):
    with pytest.raises(Invalid) as rejected:
        decode_cursor(cursor, identifier, sequence_number)
    assert [error.field for error in rejected.value.errors] == ["query.cursor"]
