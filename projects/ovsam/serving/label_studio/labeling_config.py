"""What a project's labelling configuration asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

from ...utils.wording import listed
from ...vocabulary.name_texts import clean_text

MAX_CHARACTERS = 4_000_000  # thousands of labels; what is longer was not written for a project
EXAMPLE = (
    '<BrushLabels name="brush" toName="image"><Label value="cat"/><Label value="dog"/>'
    '</BrushLabels>'
)


@dataclass(frozen=True)
class BrushControl:
    """Where masks of an image go: a ``BrushLabels`` tag and its ``Image``.

    Attributes:
        from_name: Name of the ``BrushLabels`` tag.
        to_name: Name of the ``Image`` tag.
        data_key: Key of the image in a task's data.
        labels: Pairs of the name that the model compares with, and the label as results have it:
            the tag's ``alias``, if it has one. In the order of the configuration.
    """

    from_name: str
    to_name: str
    data_key: str
    labels: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the model compares with."""
        return tuple(name for name, _ in self.labels)

    def image_of(self, data: dict) -> str:
        """What a task's data say where the image is.

        Raises:
            ValueError: They do not say.
        """
        value = data.get(self.data_key)
        if not isinstance(value, str) or not value.strip():
            raise ValueError(
                f'the task has no image under "{self.data_key}", which the labelling '
                f'configuration names; its data have '
                f'{listed(data, near=self.data_key)}'
            )
        return value.strip()


def parse_labeling_config(text: str) -> tuple[BrushControl, ...]:
    """The brush controls of a labelling configuration, XML as Label Studio sends it, in its order.

    Raises:
        ValueError: It is no such XML, has no ``BrushLabels`` with labels on an ``Image``, or calls
            two things the same.
    """
    root = _parse(text)
    for tag in ('Image', 'BrushLabels'):
        _require_distinct(f'<{tag}> of the name', (each.get('name') for each in root.iter(tag)))
    images = {tag.get('name'): tag for tag in root.iter('Image')}
    controls = tuple(
        _control(brush, to_name, images[to_name])
        for brush in root.iter('BrushLabels')
        for to_name in (part.strip() for part in brush.get('toName', '').split(','))
        if to_name in images
    )
    if not controls:
        raise ValueError(
            'the labelling configuration has no <BrushLabels> for an <Image>, and '
            f'masks have nowhere to go: add {EXAMPLE}'
        )
    return controls


def control_for(controls: tuple[BrushControl, ...], to_name: str | None) -> BrushControl:
    """The first control of an image; of any image if ``to_name`` is None.

    Raises:
        ValueError: There is none.
    """
    for control in controls:
        if to_name in (None, control.to_name):
            return control
    raise ValueError(
        f'the labelling configuration has no <BrushLabels> for the image '
        f'"{to_name}"; it has one for '
        f'{listed(sorted({c.to_name for c in controls}), near=to_name)}'
    )


def _parse(text: str) -> ElementTree.Element:
    if not isinstance(text, str) or not text.strip():
        raise ValueError('there is no labelling configuration: set one up in the project first')
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f'the labelling configuration has {len(text)} characters; '
            f'{MAX_CHARACTERS} are the most that is read'
        )
    if '<!' in text.replace('<!--', '').replace('<![CDATA[', ''):
        # Declarations define entities, which may grow without limit; Label Studio knows none.
        raise ValueError('the labelling configuration has an XML declaration "<!...": remove it')
    try:
        return ElementTree.fromstring(text.strip())
    except ElementTree.ParseError as error:
        raise ValueError(f'the labelling configuration is not XML: {error}') from error


def _control(brush: ElementTree.Element, to_name: str, image: ElementTree.Element) -> BrushControl:
    value = image.get('value', '')
    if not value.startswith('$') or len(value) == 1:
        raise ValueError(
            f'<Image name="{to_name}"> has the value "{value}": one image of the '
            'task\'s data is expected, such as value="$image"'
        )
    if not brush.get('name'):
        raise ValueError('a <BrushLabels> of the labelling configuration has no name')
    pairs = dict.fromkeys(
        (tag.get('value', ''), tag.get('alias') or tag.get('value') or '')
        for tag in brush.iter('Label')
    )
    _require_distinct('alias of the label', (name.strip() for name, _ in pairs if name.strip()))
    labels: dict[str, str] = {}
    for name, label in pairs:
        labels.setdefault(clean_text(name), label)
    labels.pop('', None)
    if not labels:
        raise ValueError(
            f'<BrushLabels name="{brush.get("name")}"> has no labels to name regions '
            f'by: write them into the configuration, as in {EXAMPLE}'
        )
    return BrushControl(brush.get('name', ''), to_name, value[1:], tuple(labels.items()))


def _require_distinct(what: str, names: Iterable[str | None]) -> None:
    twice = [repr(name) for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(
            f'the labelling configuration has more than one {what} '
            f'{listed(twice)}: nobody can tell which is meant'
        )
