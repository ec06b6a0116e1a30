"""What Tornado's own web_test leaves open about signed values."""

import pytest
from tornado.web import create_signed_value, decode_signed_value, get_signature_key_version

NOW = 1_700_000_000


def clock(days=0.0):
    return lambda: NOW + days * 86400


def sign(value, secret="secret", **kwargs):
    return create_signed_value(secret, "name", value, clock=clock(), **kwargs)


def decode(value, secret="secret", days=0.0, **kwargs):
    return decode_signed_value(secret, "name", value, clock=clock(days), **kwargs)


@pytest.mark.parametrize("version", [1, 2])
def test_a_value_is_good_for_as_many_days_as_it_is_said(version):
    signed = sign("v", version=version)
    assert decode(signed, days=30.9) == b"v"
    assert decode(signed, days=31.1) is None
    assert decode(signed, days=31.1, max_age_days=40) == b"v"


@pytest.mark.parametrize("version", [1, 2])
def test_no_byte_of_a_value_can_be_changed_or_left_out(version):
    signed = sign("value", version=version)
    for at in range(len(signed)):
        changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
        assert decode(changed) != b"value" and decode(signed[:at]) is None, at


@pytest.mark.parametrize(
    "junk",
    [
        b"", b"2", b"2|", b"2|1", b"2|1:0", b"2|1:0|", b"2|99999999999999999999:0|", b"2|-1:0|1:0|1:0|1:0|", b"2|:0|", b"3|1:0",
        b"2|1:0|10:1300000000|3:key", b"|", b"||", b"a|b|c", b"\xff|\xff|\xff", b"2|1:x|1:x|4:name|0:|0", "\u0662|1:0|", "|||||",
    ],
)  # fmt: skip
def test_junk_is_none_and_never_an_exception(junk):
    assert decode(junk) is None
    get_signature_key_version(junk)


def test_a_dictionary_of_keys_is_not_for_the_first_format():
    assert decode(sign("v", version=1), secret={0: "secret"}) is None
    with pytest.raises(AssertionError):
        sign("v", secret={0: "secret"}, version=1)
    with pytest.raises(AssertionError):
        sign("v", secret={0: "secret"})


def test_the_number_of_the_key_can_be_read():
    assert get_signature_key_version(sign("v", secret={7: "a"}, key_version=7)) == 7
    assert get_signature_key_version(sign("v", version=1)) is None


def test_unknown_versions_are_refused():
    with pytest.raises(ValueError):
        sign("v", version=3)
    with pytest.raises(ValueError):
        decode(sign("v"), min_version=3)
    assert decode(sign("v", version=1), min_version=2) is None
