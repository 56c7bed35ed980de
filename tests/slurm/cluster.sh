#!/usr/bin/env bash
# A Slurm cluster of this machine alone, for tests: two CPUs, whatever the machine has. Needs
# Debian's slurm-wlm and munge, and root.
set -euo pipefail

usage="usage: tests/slurm/cluster.sh start|stop FOLDER

  FOLDER holds its settings, state and logs. Clients find the cluster by SLURM_CONF=FOLDER/slurm.conf.
  From the environment: SLURM_TEST_PORT (16817), the first of two ports."
if [ $# -ne 2 ]; then echo "$usage" >&2; exit 2; fi
folder=$2
port=${SLURM_TEST_PORT:-16817}

start() {
    mkdir -p "$folder/state" "$folder/spool"
    host=$(hostname -s)
    cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=5
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=2
PartitionName=cpu Nodes=$host Default=YES State=UP
CONF
    head -c 1024 /dev/urandom >"$folder/munge.key"
    chmod 600 "$folder/munge.key"
    # --force: the folder may be anybody's.
    munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" \
        --seed-file="$folder/munge.seed"
    export SLURM_CONF="$folder/slurm.conf"
    slurmctld
    slurmd -N "$host"
    for _ in $(seq 60); do
        if [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ]; then return; fi
        sleep 0.5
    done
    echo "cluster: the node is not idle after 30 s:" >&2
    tail -n 20 "$folder"/*.log >&2
    return 1
}

stop() {
    for name in slurmd slurmctld munged; do
        if [ -f "$folder/$name.pid" ]; then kill "$(cat "$folder/$name.pid")" || true; fi
    done
}

case $1 in
    start) start ;;
    stop) stop ;;
    *) echo "$usage" >&2; exit 2 ;;
esac
