"""A request as somebody pastes it: lines of headers, an empty line, and the body to the last byte."""

from gateway.errors import ConfigurationError


def read_request(text: bytes) -> tuple[dict[str, str], bytes]:
    """Headers with lower-case names, and the body. A request line before the headers is passed over.

    Raises ConfigurationError where there is no empty line between the two.
    """
    ends = [(text.find(end), end) for end in (b"\r\n\r\n", b"\n\n") if end in text]
    if not ends:
        raise ConfigurationError(
            "There is no empty line between headers and body.",
            "Paste the headers, an empty line, and the body; or give the body as a file of its own with --body.",
        )
    place, end = min(ends)
    return read_headers(text[:place]), text[place + len(end) :]


def read_headers(text: bytes) -> dict[str, str]:
    """Header lines by their lower-case names; curl's arrows before them are passed over."""
    headers = {}
    for line in text.decode("latin-1").splitlines():
        name, colon, value = line.lstrip("<> ").partition(":")
        if colon and " " not in name.strip():
            headers[name.strip().lower()] = value.strip()
    return headers
