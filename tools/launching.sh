# What the launchers share; each sources it. They set usage, and say with `called` what they need.

# called LEAST ARGUMENTS...: shows the usage if asked, or if there are too few arguments.
called() {
    least=$1
    shift
    case "${1:-}" in -h | --help) echo "$usage"; exit 0 ;; esac
    if [ $# -lt "$least" ]; then echo "$usage" >&2; exit 2; fi
}

# on_this_machine PROCESSES TOOL ARGUMENTS...: by torch's launcher.
on_this_machine() {
    case "$1" in
    '' | *[!0-9]* | 0)
        echo "$(basename "$0" .sh): GPUS must be a number, got '$1'" >&2
        exit 2
        ;;
    esac
    processes=$1 tool=$2
    shift 2
    exec "${PYTHON:-python}" -m torch.distributed.run \
        --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
        --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
        --nproc_per_node="$processes" \
        "$(dirname "$0")/$tool" "$@"
}

# on_a_cluster PARTITION JOB_NAME TOOL ARGUMENTS...: by srun.
on_a_cluster() {
    partition=$1 job=$2 tool=$3
    shift 3
    gpus=${GPUS:-8}
    per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
    nodes=()
    if [ "$per_node" -gt 0 ]; then
        nodes=(--gres="gpu:$per_node" --ntasks-per-node="$per_node")
    fi
    # shellcheck disable=SC2086  # SRUN_ARGS holds several arguments
    exec srun --partition="$partition" --job-name="$job" --ntasks="$gpus" \
        ${nodes[@]+"${nodes[@]}"} \
        --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
        "${PYTHON:-python}" -u "$(dirname "$0")/$tool" "$@"
}
