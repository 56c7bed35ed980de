"""What whoever shows a model's results should say of them."""

from __future__ import annotations


def notice_of_domain(domain: str | None) -> str | None:
    """What to say; None if there is nothing to say.

    Args:
        domain: What a config says that its weights know, if that is something else than photographs
            of any kind.
    """
    published = (
        'ovsam-rn50x16-coco, which is downloaded the first time, or before by: '
        'ovsam download ovsam-rn50x16-coco'
    )
    if domain == 'photographs':
        return (
            'These are small weights that learned from a few hundred photographs: masks are rough '
            f'and names often wrong. The published model is {published}'
        )
    return domain and (
        f'These weights know {domain} only: what they say of a photograph means nothing. For '
        f'photographs use the model photo (docs/photographs.md), or {published}'
    )
