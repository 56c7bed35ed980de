"""Fills a model with weights, and makes sure that none stays random that should not.

mmengine's ``init_weights`` and ``load_checkpoint`` leave alone what a file lacks or has in another
shape, with a warning. A model for use would give nonsense; a training may lack what it learns, but
neither a frozen part's weights nor what a file was meant to give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..utils.wording import listed

# What the first part of a checkpoint's keys tells; the first row that fits counts.
_KINDS = (
    ('a published OVSAM checkpoint', {'neck_student', 'fpn_neck'}),
    ('a CLIP2SAM checkpoint', {'label_head'}),
    ('a SAM checkpoint', {'image_encoder'}),
    ('a CLIP checkpoint', {'clip', 'visual', 'token_embedding'}),
    ("a detector's checkpoint", {'rpn_head', 'roi_head', 'bbox_head'}),
    ('a SAM2CLIP checkpoint', {'neck'}),
)


class NothingDrawn(TorchFunctionMode):
    """A block that makes models for :func:`load_weights`: weights are whatever is in memory.

    To draw random ones of a large model takes seconds.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See torch."""
        if func in (Tensor.uniform_, Tensor.normal_):
            return args[0]
        if getattr(func, '__module__', None) == 'torch.nn.init':
            return args[0] if args else kwargs['tensor']
        return func(*args, **(kwargs or {}))


def load_weights(model: nn.Module, checkpoint: str | Path | None = None) -> None:
    """Load a checkpoint, and what each part's ``init_cfg`` of type ``Pretrained`` names.

    Args:
        model: Built from a config; its weights may be anything.
        checkpoint: Of the whole model. A frozen part, which it does not hold, has its
            ``init_cfg``; what a part that it holds all of began with is not read.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: Nothing in a file belongs to the model or part, a weight has another shape, or
            a weight is in none of the files.
    """
    content = {} if checkpoint is None else read_state_dict(str(checkpoint))
    filled = set() if checkpoint is None else _fill(model, content, str(checkpoint))
    of_parts = _load_parts(model, filled)
    if of_parts & filled:  # of which the checkpoint's count
        _fill(model, content, str(checkpoint))
    lacking = weight_names(model) - filled - of_parts
    if lacking:
        raise ValueError(_lacking_message(model, lacking, checkpoint, content))


def load_parts(model: nn.Module, whole: Iterable[str] = ()) -> None:
    """Load what each part's ``init_cfg`` of type ``Pretrained`` names.

    Args:
        model: Its weights still random.
        whole: Names of direct sub-modules in which no weight may be left out, once a file gives
            some of them.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: Nothing in a file belongs to its part, a weight has another shape, or a weight
            of one in ``whole`` is in none of the files.
    """
    filled = _load_parts(model)
    parts = dict(model.named_children())
    for name in whole:
        expected = {f'{name}.{key}' for key in weight_names(parts[name])}
        lacking = {key[len(name) + 1 :] for key in expected - filled}
        if lacking and expected & filled:
            files = dict.fromkeys(
                str(init_cfg['checkpoint'])
                for part in (model, *parts[name].modules())
                for init_cfg in _pretrained(part)
            )
            raise ValueError(
                f'{listed(files)} has no weights for {_groups(lacking)} of {name}, a '
                f'{type(parts[name]).__name__} that does not learn and so would keep random '
                'ones: expected a file with all of its weights'
            )


def load_file(module: nn.Module, path: str) -> None:
    """Load what a file has of a module; what else the module has stays as it is.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Nothing in it belongs to the module, or a weight has another shape.
    """
    _fill(module, read_state_dict(path), path)


def _fill(
    module: nn.Module, content: Mapping[str, Tensor], path: str, prefix: str = ''
) -> set[str]:
    """As :func:`load_file`, of what is below a prefix; names of the weights that were filled."""
    chosen = {key[len(prefix) :]: value for key, value in content.items() if key.startswith(prefix)}
    expected = learned_names(module)
    try:
        missing = module.load_state_dict(chosen, strict=False).missing_keys
    except RuntimeError as error:
        # The first line is torch's heading, each other line is a weight of another shape.
        details = str(error).splitlines()[1:2] or [str(error)]
        raise ValueError(
            f'{path} does not fit {type(module).__name__}: {details[0].strip()} The file is '
            f'{describe(content)}; was it made with another config?'
        ) from error
    # Modules may know published names of their weights, so what is not missing was found.
    filled = (expected - set(missing)) | (weight_names(module) & chosen.keys())
    if not filled:
        raise ValueError(
            f'{path} has nothing for {type(module).__name__}: it seems to be '
            f'{describe(content)}; expected keys {_groups(expected, prefix)}'
        )
    return filled


def weight_names(module: nn.Module) -> set[str]:
    """Parameters and persistent buffers, with those of frozen parts, without batch counters."""
    return {
        f'{prefix}.{name}' if prefix else name
        for prefix, part in module.named_modules()
        for name, value in [*part._parameters.items(), *part._buffers.items()]
        if value is not None
        and name not in part._non_persistent_buffers_set
        and name != 'num_batches_tracked'
    }


def learned_names(module: nn.Module) -> set[str]:
    """Those of :func:`weight_names` that a checkpoint of the module holds: no frozen parts."""
    return weight_names(module) & module.state_dict().keys()


def read_state_dict(path: str) -> dict[str, Tensor]:
    """The weights in a file, whether it is a training checkpoint or nothing but weights.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds no weights.
    """
    content = CheckpointLoader.load_checkpoint(path, map_location='cpu', logger='silent')
    state = content.get('state_dict', content) if isinstance(content, Mapping) else {}
    if not isinstance(state, Mapping):
        state = {}
    weights = {
        # Left by data-parallel training.
        key[len('module.') :] if key.startswith('module.') else key: value
        for key, value in state.items()
        if isinstance(key, str) and isinstance(value, Tensor)
    }
    if not weights:
        raise ValueError(f'{path} holds no weights: expected a state dict, or a dict with one')
    return weights


def describe(keys: Iterable[str]) -> str:
    """What a checkpoint with these keys seems to be."""
    groups = Counter(key.split('.')[0] for key in keys)
    kind = next((kind for kind, signs in _KINDS if signs & groups.keys()), "another model's")
    begins = ', '.join(f'{group}.*' for group, _ in groups.most_common(4))
    return f'{kind} (keys {begins})'


def _pretrained(part: nn.Module) -> Iterator[Mapping]:
    init_cfgs = getattr(part, 'init_cfg', None) or []
    for init_cfg in [init_cfgs] if isinstance(init_cfgs, Mapping) else init_cfgs:
        if init_cfg.get('type') == 'Pretrained':
            yield init_cfg


def _load_parts(model: nn.Module, known: Set[str] = frozenset()) -> set[str]:
    """Names of the weights of ``model`` that its parts' ``init_cfg`` filled.

    Parts of which all weights are ``known`` are left as they are.
    """
    filled: set[str] = set()
    # CLIP's towers lie in one file, which is large: it is kept for the next part.
    last, content = '', dict[str, Tensor]()
    # Parents come last, as in mmengine: what they load counts more.
    for name, part in reversed(list(model.named_modules())):
        start = f'{name}.' if name else ''
        for init_cfg in _pretrained(part):
            if not {start + key for key in weight_names(part)} <= known:
                path = str(init_cfg['checkpoint'])
                if path != last:
                    content = {}  # before there are two
                    last, content = path, read_state_dict(path)
                keys = _fill(part, content, path, init_cfg.get('prefix') or '')
                filled |= {start + key for key in keys}
    return filled


def _groups(keys: Iterable[str], prefix: str = '') -> str:
    counts = Counter(key.split('.')[0] for key in keys)
    return listed(f'{prefix}{group}.* ({count})' for group, count in sorted(counts.items()))


def _lacking_message(model: nn.Module, lacking: set[str], checkpoint, content: Mapping) -> str:
    fault = f'no weights for {_groups(lacking)} of {type(model).__name__}'
    if checkpoint is None:
        return (
            f'There are {fault}: give a checkpoint, as weights or as load_from in the '
            f'config, with the keys {_groups(learned_names(model))}'
        )
    kind = describe(content)
    return (
        f'{checkpoint} has {fault}: it seems to be {kind}; expected a checkpoint with the '
        f'keys {_groups(learned_names(model))}'
    )
