"""Choose the weights of score fusion on the validation data of a config.

    python tools/tune_fusion.py configs/mini/ovsam_base_box.py

Prints base, novel and harmonic-mean accuracy for a grid of CLIP's weight on seen and on unseen
classes; the best line goes into the config's ``score_fusion``.
"""
import argparse
import sys

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from tqdm import tqdm

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.apis import init_model
from ovsam.models import GeometricFusion


@torch.no_grad()
def collect(model, loader) -> tuple:
    """Logits of the head and of CLIP, (N, K + 1) each, and the true labels (N,)."""
    heads, clips, labels = [], [], []
    for data in tqdm(loader, 'validation'):
        data = model.data_preprocessor(data, False)
        inputs, samples = data['inputs'], data['data_samples']
        features = model.encode_image(inputs)
        prompts = model.input_prompts(samples, model.prompter, inputs.device)
        if not len(prompts):
            continue
        low_res, _, rois = model.segment_regions(features, prompts, inputs.shape[-1])
        heads.append(model.head_opinion(features, rois))
        clips.append(model.clip_opinion(features, rois, low_res))
        labels += [samples[image].gt_instances.labels[index] for image, index in
                   zip(prompts.image_index.tolist(), prompts.instance_index.tolist())]
    return torch.cat(heads), torch.cat(clips), torch.stack(labels)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--steps', type=int, default=11, help='grid points a weight (%(default)s)')
    args = parser.parse_args(argv)
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    model = init_model(cfg)
    split = model.vocabulary.split
    groups = [torch.tensor([model.vocabulary.index(name) for name in split[group]])
              for group in ('base', 'novel')]
    seen = torch.from_numpy(model.vocabulary.seen.copy())
    head, clip, labels = collect(model, Runner.build_dataloader(cfg.val_dataloader))
    results = []
    for a in torch.linspace(0, 1, args.steps).tolist():
        for b in torch.linspace(0, 1, args.steps).tolist():
            right = GeometricFusion(a, b)(head, clip, seen)[:, :-1].argmax(1) == labels
            base, novel = (100 * right[torch.isin(labels, group)].float().mean().item()
                           for group in groups)
            results.append((2 * base * novel / max(base + novel, 1e-9), base, novel, a, b))
    print('harmonic   base  novel   seen unseen')
    for line in sorted(results, reverse=True)[:10]:
        print('{:8.1f} {:6.1f} {:6.1f}  {:5.2f}  {:5.2f}'.format(*line))
    return 0


if __name__ == '__main__':
    sys.exit(main())
