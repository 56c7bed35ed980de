#!/usr/bin/env bash
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --ntasks-per-node=1
# Label pictures on a Slurm cluster: Ray on all nodes of the job, and ovsam annotate on it.
set -euo pipefail

usage="usage: sbatch [options of sbatch] tools/slurm_ray.sh IMAGES --out OUT [arguments of ovsam annotate]

  Submit it from the root of the repository. Ray is started on every node of the job with all CPUs
  and GPUs that the job has there, and stopped at the end. All nodes must see IMAGES and OUT. A job
  that was interrupted goes on when it is queued again, or with the same command. From the
  environment: RAY_PORT (one that the job's number gives), RAY_ARGS for ray start, SRUN_ARGS for
  srun, PYTHON (python).

  sbatch -p gpu -N 8 --gres=gpu:8 -c 64 -t 1-0 tools/slurm_ray.sh photos --out labels --vocabulary lvis"
case "${1:-}" in -h | --help) echo "$usage"; exit 0 ;; esac
if [ $# -lt 1 ]; then echo "$usage" >&2; exit 2; fi
if [ -z "${SLURM_JOB_ID:-}" ]; then echo "slurm_ray: submit it with sbatch" >&2; exit 2; fi
if [ ! -f tools/slurm_ray.sh ]; then
    echo "slurm_ray: submit it from the root of the repository, not from $PWD" >&2
    exit 2
fi

python=${PYTHON:-python}
nodes=${SLURM_JOB_NUM_NODES:-1}
# Jobs that share a node do not share a port.
port=${RAY_PORT:-$((20000 + SLURM_JOB_ID % 20000))}
host=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
if ! ip=$(getent ahostsv4 "$host" | awk 'NR == 1 { print $1 }'); then
    echo "slurm_ray: no IPv4 address of $host is known" >&2
    exit 1
fi
# srun does not take over what sbatch was given for it.
export SRUN_CPUS_PER_TASK="${SLURM_CPUS_PER_TASK:-1}"

started=()
# What ends takes its own Ray with it and leaves that of other jobs alone.
trap 'kill ${started[@]+"${started[@]}"} 2>/dev/null || true; wait' EXIT
start_ray() {  # NODES WHERE ARGUMENTS: on so many nodes. One that dies does not end the others.
    # shellcheck disable=SC2086  # SRUN_ARGS and RAY_ARGS hold several arguments
    srun --overlap --nodes="$1" --ntasks="$1" "$2" --kill-on-bad-exit=0 ${SRUN_ARGS:-} \
        "$python" -m ray.scripts.scripts start --block --num-cpus="$SRUN_CPUS_PER_TASK" \
        ${RAY_ARGS:-} "${@:3}" &
    started+=($!)
}

start_ray 1 "--nodelist=$host" --head --node-ip-address="$ip" --port="$port"
until (exec 3<>"/dev/tcp/$ip/$port") 2>/dev/null; do
    if ! kill -0 "${started[0]}" 2>/dev/null; then
        echo "slurm_ray: Ray did not start on $host" >&2
        exit 1
    fi
    sleep 1
done
if [ "$nodes" -gt 1 ]; then start_ray $((nodes - 1)) "--exclude=$host" --address="$ip:$port"; fi
# After five minutes it goes on with the nodes that are there.
"$python" -c 'import sys, time, ray
ray.init(address=sys.argv[1], logging_level="warning")
end = time.monotonic() + 300
while sum(node["Alive"] for node in ray.nodes()) < int(sys.argv[2]) and time.monotonic() < end:
    time.sleep(1)' "$ip:$port" "$nodes"
status=0
"$python" -u -m ovsam_cli annotate "$@" --ray "$ip:$port" || status=$?
exit "$status"
