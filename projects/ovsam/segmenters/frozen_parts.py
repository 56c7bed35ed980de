"""Parts of a model that do not learn: no gradient, always in eval mode, not in checkpoints."""

from collections.abc import Sequence

from mmengine.model import BaseModel

from ..checkpoints.loading import load_parts
from ..utils.wording import listed


class FrozenParts(BaseModel):
    """Mix-in for a model that names some of its parts as frozen.

    A frozen part gets its weights from its own ``init_cfg`` each time the model is made, so a
    checkpoint of the model holds only what was learned.

    Attributes:
        frozen: Names of direct sub-modules.
    """

    frozen: Sequence[str] = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._register_state_dict_hook(_drop_frozen)
        self.register_load_state_dict_post_hook(_expect_no_frozen)

    def __setattr__(self, name: str, value) -> None:
        """Set a part, without gradient if it is frozen.

        Distributed training looks at what learns when it wraps the new model, before weights are
        initialised.
        """
        super().__setattr__(name, value)
        if name == 'frozen' or name in self.frozen:
            for child, part in self.named_children():
                if child in self.frozen:
                    part.requires_grad_(requires_grad=False)

    def init_weights(self) -> None:
        """Initialise every part, then freeze the frozen ones.

        Raises:
            FileNotFoundError: A file that a ``Pretrained`` names does not exist.
            ValueError: It is another model's or of other sizes, or lacks weights of a frozen
                part.
        """
        if not self.is_init:
            # mmengine would only warn. First, as other ways to initialise may follow a file's.
            self.freeze()
            load_parts(self, whole=self.frozen)
        super().init_weights()
        self.freeze()

    def freeze(self) -> None:
        """Take the frozen parts out of training.

        Raises:
            ValueError: A name in ``frozen`` is not a part of this model.
        """
        parts = dict(self.named_children())
        unknown = [name for name in self.frozen if name not in parts]
        if unknown:
            raise ValueError(
                f'frozen names {listed(unknown)}, but {type(self).__name__} has the '
                f'parts {listed(parts, near=unknown[0])}.'
            )
        for name in self.frozen:
            parts[name].requires_grad_(requires_grad=False)
            parts[name].eval()

    def train(self, mode: bool = True) -> 'FrozenParts':  # noqa: FBT001, FBT002 (nn.Module's signature)
        """Switch mode; frozen parts stay in eval mode."""
        super().train(mode)
        self.freeze()
        return self


def _drop_frozen(module: FrozenParts, state_dict: dict, prefix: str, _metadata) -> None:
    starts = tuple(f'{prefix}{name}.' for name in module.frozen)
    for key in [key for key in state_dict if key.startswith(starts)]:
        del state_dict[key]


def _expect_no_frozen(module: FrozenParts, incompatible_keys) -> None:
    starts = tuple(f'{name}.' for name in module.frozen)
    missing = incompatible_keys.missing_keys
    missing[:] = [key for key in missing if not key.startswith(starts)]
