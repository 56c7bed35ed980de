"""Load the weights of frozen parts before testing, too."""

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from .wrappers import plain_model


@HOOKS.register_module()
class InitWeightsHook(Hook):
    """Calls the model's ``init_weights`` before ``load_from`` is read.

    mmengine does so for training only. Checkpoints here hold what was learned and nothing else,
    so a test needs the frozen parts' ``init_cfg`` as much.
    """

    def before_run(self, runner: Runner) -> None:
        """Initialise; a second call in training does nothing."""
        model = plain_model(runner.model)
        if hasattr(model, 'init_weights') and not getattr(model, 'is_init', False):
            model.init_weights()
