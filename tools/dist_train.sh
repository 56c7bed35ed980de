#!/usr/bin/env bash
# Train on several GPUs, or on several processes where there is no GPU.
set -euo pipefail
# shellcheck source=tools/launching.sh
. "$(dirname "$0")/launching.sh"

usage="usage: tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]

  GPUS is the number of processes on this machine, one a GPU. From the environment:
  NNODES (1), NODE_RANK (0), MASTER_ADDR (127.0.0.1) and PORT (29500) for several machines,
  PYTHON (python).

  tools/dist_train.sh configs/clip2sam/clip2sam_RN50x16_coco.py 8 --amp"
called 2 "$@"
config=$1 gpus=$2
shift 2
on_this_machine "$gpus" train.py "$config" --launcher pytorch "$@"
