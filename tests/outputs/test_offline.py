import pytest

from facility_coverage.outputs.offline import UnknownAssetError, inline


@pytest.mark.parametrize("tag", ['<script src="https://x.org/a.js"></script>', '<img src="//x.org/p.png">'])
def test_an_unknown_link_is_refused(tag: str) -> None:
    with pytest.raises(UnknownAssetError, match=r"x\.org"):
        inline(f"<html><head></head><body>{tag}</body></html>", {})


def test_policy_names_each_script_by_hash_and_no_data() -> None:
    page = "<html><head></head><body><script>a()</script><script type='application/json'>{}</script></body></html>"
    # printf 'a()' | openssl dgst -sha256 -binary | base64
    assert "script-src 'sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4='; " in inline(page, {})


def test_pictures_that_the_page_holds_and_places_within_it_fetch_nothing() -> None:
    page = '<html><head></head><body><a href="#chapter">x</a><img src="data:image/png;base64,AA=="></body></html>'
    assert 'href="#chapter"' in inline(page, {})


@pytest.mark.parametrize(
    "tag",
    ['<a href="javascript:a()">x</a>', '<img src="data:text/html,x">', '<iframe src="#x"></iframe>', '<img src="#x">'],
)
def test_what_only_looks_like_them_is_refused(tag: str) -> None:
    with pytest.raises(UnknownAssetError):
        inline(f"<html><head></head><body>{tag}</body></html>", {})


def test_a_page_within_the_page_is_allowed_by_its_policy_and_looked_at_as_well() -> None:
    page, frame = "<html><head></head><body></body></html>", "<script>a()</script><style>b{}</style>"
    policy = inline(page, {}, frames=[frame])
    # printf 'a()' | openssl dgst -sha256 -binary | base64, and the same of 'b{}'
    assert "script-src 'sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4='; " in policy
    assert "style-src 'sha256-7yqHVAesot11p6HczDsgKRipvI5UPgs97z80zNXlans='; " in policy
    with pytest.raises(UnknownAssetError, match=r"x\.org"):
        inline(page, {}, frames=['<script src="https://x.org/a.js"></script>'])
