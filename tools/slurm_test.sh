#!/usr/bin/env bash
# Test on a Slurm cluster.
set -euo pipefail
# shellcheck source=tools/launching.sh
. "$(dirname "$0")/launching.sh"

usage="usage: tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of tools/test.py]

  CHECKPOINT may be '': weights are those that the config names, if the model has any.
  From the environment: GPUS (8) processes, one a GPU, GPUS_PER_NODE (8, or GPUS if that is less;
  0 for nodes without GPUs), CPUS_PER_TASK (5), SRUN_ARGS for srun, PYTHON (python).

  GPUS=16 tools/slurm_test.sh gpu ovsam configs/ovsam/ovsam_RN50x16_coco_box.py checkpoints/clip2sam_RN50x16_coco.pth"
called 4 "$@"
partition=$1 job=$2 config=$3 checkpoint=$4
shift 4
on_a_cluster "$partition" "$job" test.py "$config" "$checkpoint" --launcher slurm "$@"
