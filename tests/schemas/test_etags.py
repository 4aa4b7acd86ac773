"""Entity tags, compared as RFC 9110 (8.8.3.2) has it."""

import pytest

from app.schemas.etags import etag_of, matches


@pytest.mark.parametrize(
    ("sent", "weakly", "strongly"),
    [
        (None, False, False),
        ("", False, False),
        ('"1"', True, True),
        ('W/"1"', True, False),
        ('"2"', False, False),
        ('"2", W/"1"', True, False),
        ('"2" ,"1"', True, True),
        ("*", True, True),
        ("1", False, False),
    ],
)
def test_weak_tags_match_only_the_weak_comparison(sent, weakly, strongly):
    assert (matches(sent, '"1"'), matches(sent, '"1"', weak=False)) == (weakly, strongly)


def test_a_tag_is_quoted_and_depends_on_every_byte():
    assert etag_of(b"ab") == etag_of(b"a", b"b") != etag_of(b"ba")
    assert etag_of(b"")[0] == etag_of(b"")[-1] == '"'
