"""Asks servers for files: mirrors in place of hosts, redirects, the hub's token."""

from __future__ import annotations

import base64
import os
import re
import urllib.request
from collections.abc import Mapping
from http.client import HTTPResponse
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

from huggingface_hub import get_token

from ..version import __version__

HUB = 'https://huggingface.co'
MIRROR = 'OVSAM_MIRROR'


def mirrored(url: str, mirror: str | None = None) -> str:
    """The address to ask in place of ``url``.

    Args:
        url: Where a file is published.
        mirror: ``HOST=ADDRESS`` for one host, or ``ADDRESS`` for every host but the hub; several
            with spaces between them. The environment's ``OVSAM_MIRROR`` if not given. The hub also
            has ``HF_ENDPOINT``, which counts unless empty.

    Raises:
        ValueError: If a mirror is neither.
    """
    text = os.environ.get(MIRROR, '') if mirror is None else mirror
    endpoint = os.environ.get('HF_ENDPOINT', '').strip()
    mirrors = _read_mirrors(f'{urlsplit(HUB).netloc}={endpoint} {text}' if endpoint else text)
    host = urlsplit(url).netloc
    of_all = '' if origin(url) == origin(HUB) else mirrors.get('', '')
    address = mirrors.get(host) or of_all
    return address.rstrip('/') + url.partition('://')[2][len(host) :] if address else url


def ask(url: str, headers: Mapping[str, str], timeout: float) -> HTTPResponse:
    """Send a GET request and follow redirects.

    The hub's token (``HF_TOKEN``, or that of ``hf auth login``) goes to the hub's host only, also
    after redirects; likewise what an address has as ``USER:PASSWORD@``, in the token's place.

    Raises:
        HTTPError: If the server refuses.
        OSError: If it cannot be reached.
    """
    token = get_token() if _goes_to_hub(url) else None
    url, secret = without_secret(url)
    request = urllib.request.Request(url, headers={'User-Agent': f'ovsam/{__version__}', **headers})
    if secret or token:
        basic = base64.b64encode(secret.encode()).decode()
        # Unredirected headers are not copied to where a redirect leads.
        request.add_unredirected_header(
            'Authorization', f'Basic {basic}' if secret else f'Bearer {token}'
        )
    return urllib.request.build_opener(_Redirects).open(request, timeout=timeout)


def without_secret(url: str) -> tuple[str, str]:
    """An address without its ``USER:PASSWORD@``, and these; an empty text if there are none."""
    parts = urlsplit(url)
    secret, _, host = parts.netloc.rpartition('@')
    return parts._replace(netloc=host).geturl(), unquote(secret)


def refusal(url: str, error: HTTPError) -> str:
    """What a server's refusal means, and what to do about it."""
    shown, _ = without_secret(url)
    text = f'{shown} answers {error.code} {error.reason}'
    if error.code not in (401, 403):
        return text
    if not _goes_to_hub(url):
        return f'{text}: the server does not give it to everyone. Use a mirror (--mirror, {MIRROR})'
    page = shown.partition('/resolve/')[0]
    if get_token():
        return (
            f'{text}: the token in HF_TOKEN or of "hf auth login" does not give access. Accept '
            f'the terms at {page}, or renew the token; for a public file, unset HF_TOKEN'
        )
    return (
        f'{text}: it is not public. Accept the terms at {page}, make a token at '
        f'{HUB}/settings/tokens and set HF_TOKEN to it'
    )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Also follows 308, which Python 3.10 does not, and keeps the token within its host."""

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        new = super().redirect_request(req, fp, 307 if code == 308 else code, msg, headers, newurl)
        token = req.unredirected_hdrs.get('Authorization')
        if new is not None and token and origin(newurl) == origin(req.full_url):
            new.add_unredirected_header('Authorization', token)
        return new


def _read_mirrors(text: str) -> dict[str, str]:
    """Address by host; that of every other host by the empty text."""
    mirrors = {}
    for item in text.split():
        rule = re.fullmatch(r'(?:([^=/?#]+)=)?(https?://[^/].*)', item, re.IGNORECASE)
        if rule is None:
            raise ValueError(
                f"the mirror '{item}' is neither ADDRESS nor HOST=ADDRESS with an address that "
                f'begins with https:// or http:// (see HF_ENDPOINT and {MIRROR} in docs/weights.md)'
            )
        mirrors[rule[1] or ''] = rule[2]
    return mirrors


def _goes_to_hub(url: str) -> bool:
    """Whether an address, mirrored already, is the hub's or that of the mirror of the hub."""
    return origin(url) in (origin(HUB), origin(mirrored(HUB + '/')))


def origin(url: str) -> tuple[str, str]:
    """Scheme and host of an address: what a secret that was given to it may go to."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
