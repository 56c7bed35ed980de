#!/usr/bin/env bash
# Train on a Slurm cluster.
set -euo pipefail
# shellcheck source=tools/launching.sh
. "$(dirname "$0")/launching.sh"

usage="usage: tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of tools/train.py]

  From the environment: GPUS (8) processes, one a GPU, GPUS_PER_NODE (8, or GPUS if that is less;
  0 for nodes without GPUs), CPUS_PER_TASK (5), SRUN_ARGS for srun, PYTHON (python).

  GPUS=16 tools/slurm_train.sh gpu ovsam configs/clip2sam/clip2sam_RN50x16_coco.py --amp"
called 3 "$@"
partition=$1 job=$2 config=$3
shift 3
on_a_cluster "$partition" "$job" train.py "$config" --launcher slurm "$@"
