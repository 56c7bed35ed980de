#!/usr/bin/env bash
# Test on several GPUs, or on several processes where there is no GPU.
set -euo pipefail

usage="usage: tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]

  CHECKPOINT may be '': weights are those that the config names, if the model has any.
  GPUS is the number of processes on this machine, one a GPU. From the environment:
  NNODES (1), NODE_RANK (0), MASTER_ADDR (127.0.0.1) and PORT (29500) for several machines,
  PYTHON (python).

  tools/dist_test.sh configs/ovsam/ovsam_RN50x16_coco_box.py checkpoints/clip2sam_RN50x16_coco.pth 8"
case "${1:-}" in -h | --help) echo "$usage"; exit 0 ;; esac
if [ $# -lt 3 ]; then echo "$usage" >&2; exit 2; fi
config=$1 checkpoint=$2 gpus=$3
shift 3
case "$gpus" in '' | *[!0-9]* | 0) echo "dist_test: GPUS must be a number, got '$gpus'" >&2; exit 2 ;; esac

exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$gpus" \
    "$(dirname "$0")/test.py" "$config" "$checkpoint" --launcher pytorch "$@"
