import pytest

from fairlead.errors import BadInput
from fairlead.net.addresses import checked_address
from fairlead.net.target import target_of


def check(url: str, *, at_home: bool = False, plain_http: bool = False) -> str:
    return checked_address(url, key="models.m.url", at_home=at_home, plain_http=plain_http).url


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("https://api.example.com:8443/v1", "https://api.example.com:8443/v1"),
        ("HTTPS://API.example.com", "https://api.example.com"),
        ("http://localhost:8080/v1", "http://localhost:8080/v1"),
        ("http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1"),
        ("http://[::1]:9000/v1", "http://[::1]:9000/v1"),
        ("https://müller.example/v1", "https://xn--mller-kva.example/v1"),
    ],
)
def test_a_good_address_is_kept_without_its_last_slash(url: str, kept: str) -> None:
    assert check(url) == kept


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example", "x.example/v1", "", "https://", "https://user@x.example", "https://u:secret@x.example/v1",
        "https://x.example/v1?key=1", "https://x.example/#a", "https://x.example:0/", "https://x.example:70000",
        "https://x.example/a b", "https://x.example/\r\nhost: y", "https://exa mple", "https://a\\@b.example",
        "https://x.example/\x00", "http:///v1", "https://[::1", "https://-/", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_what_is_not_a_plain_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as refusal:
        check(url)
    assert refusal.value.message.startswith("models.m.url")
    assert "secret" not in refusal.value.message
    assert refusal.value.mend


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "metadata.google.internal", "METADATA.google.internal.", "[fd00:ec2::254]", "2852039166",
        "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]", "169.254.1.1", "[fe80::1]",
        "224.0.0.1", "１６９.254.169.254",
    ],
)  # fmt: skip
def test_the_inside_of_a_cloud_is_never_a_model(host: str) -> None:
    with pytest.raises(BadInput):
        check(f"http://{host}/v1", at_home=True, plain_http=True)


@pytest.mark.parametrize("host", ["10.0.0.5", "192.168.1.2", "172.16.0.1", "[fd12::1]", "100.64.0.1", "167772165"])
def test_a_private_address_needs_a_placement_that_says_so(host: str) -> None:
    with pytest.raises(BadInput) as refusal:
        check(f"https://{host}/v1")
    assert "placement" in refusal.value.mend
    assert check(f"https://{host}/v1", at_home=True)


def test_plain_http_leaves_the_machine_only_when_declared() -> None:
    with pytest.raises(BadInput) as refusal:
        check("http://llm.example.com/v1")
    assert "plain_http" in refusal.value.mend
    assert check("http://llm.example.com/v1", plain_http=True)


def test_no_interface_at_all_is_no_address() -> None:
    with pytest.raises(BadInput):
        check("http://0.0.0.0:8000/v1", at_home=True, plain_http=True)


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b", "schlüssel"])
def test_no_header_breaks_out_of_its_line(value: str) -> None:
    target = target_of("https://x.example/v1")
    with pytest.raises(BadInput):
        target.head("POST", {"authorization": value}, 0)


def test_the_head_of_a_request_says_what_it_must() -> None:
    head = target_of("https://x.example:444/v1/chat?a=1").head("POST", {"accept": "*/*"}, 12)
    assert head == b"POST /v1/chat?a=1 HTTP/1.1\r\nhost: x.example:444\r\naccept: */*\r\ncontent-length: 12\r\n\r\n"
