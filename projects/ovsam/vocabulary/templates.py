"""Sentences around a name, whose embeddings are averaged.

CLIP (Radford et al., 2021, section 3.1.4) found that a name inside sentences like those of its
training data is recognised better than the bare name; ViLD (Gu et al., 2022) adds sentences for
objects in a scene and of different sizes, the style that the paper uses.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..utils.wording import listed

_SUBJECTS = ('{a}', 'the {}', 'one {}', 'my {}')

# In each, '{}' is the name and '{a}' the name after 'a' or 'an'.
_VILD = (
    *(f'a photo of {subject}.' for subject in _SUBJECTS),
    *(
        f'a {kind} photo of {subject}.'
        for kind in ('good', 'bad', 'bright', 'dark', 'cropped', 'close-up', 'black and white')
        for subject in _SUBJECTS[:2]
    ),
    *(
        f'a {kind} photo of the {{}}.'
        for kind in ('blurry', 'low resolution', 'low contrast', 'jpeg corrupted', 'pixelated')
    ),
    *(
        f'{opening} {subject} in the scene.'
        for opening in ('there is', 'this is')
        for subject in _SUBJECTS[:3]
    ),
    *(f'a photo of {subject} in the scene.' for subject in _SUBJECTS[:2]),
    *(f'a photo of a {size} {{}}.' for size in ('small', 'medium', 'large')),
    *(f'there is a {size} {{}} in the scene.' for size in ('small', 'medium', 'large')),
    *(f'a photo of a {look} {{}}.' for look in ('clean', 'dirty', 'nice', 'weird', 'cool')),
    *(f'a photo of {{a}} {state}.' for state in ('partly hidden', 'seen from above')),
    'a photo of many {}.',
    'a photo of the hard to see {}.',
    'itap of {a}.',
)

TEMPLATES: dict[str, tuple[str, ...]] = {
    'none': ('{}',),
    'simple': ('a photo of a {}.',),
    'vild': _VILD,
}


def get_templates(templates: str | Sequence[str]) -> tuple[str, ...]:
    """Templates by their name in ``TEMPLATES``, or one's own.

    Raises:
        ValueError: For an unknown name, no templates, or one without a place for the name.
    """
    if isinstance(templates, str):
        if templates not in TEMPLATES:
            raise ValueError(
                f'there are no templates {templates!r}; use one of '
                f'{listed(TEMPLATES, near=templates)} or a list of sentences such as '
                "'a photo of a {}.'"
            )
        return TEMPLATES[templates]
    templates = tuple(templates)
    if not templates:
        raise ValueError("templates must be at least one sentence; ('{}',) for the bare name")
    for template in templates:
        if '{}' not in template and '{a}' not in template:
            raise ValueError(f'template {template!r} has no {{}} or {{a}} where the name goes')
    return templates


def fill_template(template: str, name: str) -> str:
    """The sentence for a name: ``'{}'`` becomes the name, ``'{a}'`` the name with its article.

    The article is ``an`` before a written vowel.
    """
    article = 'an' if name[:1].lower() in tuple('aeiou') else 'a'
    # One pass over the template, so that braces in a name stay what they are.
    parts = (part.replace('{}', name) for part in template.split('{a}'))
    return f'{article} {name}'.join(parts)
