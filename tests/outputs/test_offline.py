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
