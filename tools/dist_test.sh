#!/usr/bin/env bash
# Test on several GPUs, or on several processes where there is no GPU.
set -euo pipefail
# shellcheck source=tools/launching.sh
. "$(dirname "$0")/launching.sh"

usage="usage: tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]

  CHECKPOINT may be '': weights are those that the config names, if the model has any.
  GPUS is the number of processes on this machine, one a GPU. From the environment:
  NNODES (1), NODE_RANK (0), MASTER_ADDR (127.0.0.1) and PORT (29500) for several machines,
  PYTHON (python).

  tools/dist_test.sh configs/ovsam/ovsam_RN50x16_coco_box.py checkpoints/clip2sam_RN50x16_coco.pth 8"
called 3 "$@"
config=$1 checkpoint=$2 gpus=$3
shift 3
on_this_machine "$gpus" test.py "$config" "$checkpoint" --launcher pytorch "$@"
