#!/usr/bin/env bash
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@120
# Train on a Slurm cluster as a batch job that may be interrupted at any time and goes on by itself.
set -uo pipefail

usage="usage: sbatch [options of sbatch] tools/slurm_batch.sh CONFIG [arguments of tools/train.py]

  Submit it from the root of the repository. A job that is preempted, whose node fails, or whose
  time is up in two minutes is queued again; it goes on from its last checkpoint. So does one that
  failed, by 'scontrol requeue JOB'. From the environment: MASTER_PORT (one that the job's number
  gives), SRUN_ARGS for srun, PYTHON (python).

  sbatch -p gpu -n 16 --ntasks-per-node=8 --gres=gpu:8 -c 5 -t 1-0 tools/slurm_batch.sh \\
      configs/clip2sam/clip2sam_RN50x16_coco.py --amp"
case "${1:-}" in -h | --help) echo "$usage"; exit 0 ;; esac
if [ $# -lt 1 ]; then echo "$usage" >&2; exit 2; fi
if [ -z "${SLURM_JOB_ID:-}" ]; then echo "slurm_batch: submit it with sbatch" >&2; exit 2; fi
if [ ! -f tools/train.py ]; then
    echo "slurm_batch: submit it from the root of the repository, not from $PWD" >&2
    exit 2
fi

requeue() {
    echo "slurm_batch: job $SLURM_JOB_ID has little time left and is queued again"
    scontrol requeue "$SLURM_JOB_ID"
}
trap requeue USR1

# Jobs that share a node do not share a port.
export MASTER_PORT="${MASTER_PORT:-$((20000 + SLURM_JOB_ID % 20000))}"
# srun does not take over what sbatch was given for it.
export SRUN_CPUS_PER_TASK="${SLURM_CPUS_PER_TASK:-1}"
# shellcheck disable=SC2086  # SRUN_ARGS holds several arguments
srun --kill-on-bad-exit=1 ${SRUN_ARGS:-} "${PYTHON:-python}" -u tools/train.py "$@" \
    --launcher slurm --resume &
training=$!
# A signal ends wait, but not the training.
while wait "$training"; status=$?; kill -0 "$training" 2>/dev/null; do :; done
exit "$status"
