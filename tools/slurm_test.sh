#!/usr/bin/env bash
# Test on a Slurm cluster.
set -euo pipefail

usage="usage: tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of tools/test.py]

  CHECKPOINT may be '': weights are those that the config names, if the model has any.
  From the environment: GPUS (8) processes, one a GPU, GPUS_PER_NODE (8, or GPUS if that is less;
  0 for nodes without GPUs), CPUS_PER_TASK (5), SRUN_ARGS for srun, PYTHON (python).

  GPUS=16 tools/slurm_test.sh gpu ovsam configs/ovsam/ovsam_RN50x16_coco_box.py checkpoints/clip2sam_RN50x16_coco.pth"
case "${1:-}" in -h | --help) echo "$usage"; exit 0 ;; esac
if [ $# -lt 4 ]; then echo "$usage" >&2; exit 2; fi
partition=$1 job=$2 config=$3 checkpoint=$4
shift 4
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
nodes=()
if [ "$per_node" -gt 0 ]; then
    nodes=(--gres="gpu:$per_node" --ntasks-per-node="$per_node")
fi

# shellcheck disable=SC2086  # SRUN_ARGS holds several arguments
exec srun --partition="$partition" --job-name="$job" --ntasks="$gpus" ${nodes[@]+"${nodes[@]}"} \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    "${PYTHON:-python}" -u "$(dirname "$0")/test.py" "$config" "$checkpoint" --launcher slurm "$@"
