#!/bin/bash
# PID 1 of a node, in network, pid, mount and uts namespaces of its own. Killing it is a power cut:
# the kernel ends all of the node's processes and drops its mounts at once.
#   node-init.sh NAME FOLDER BIN
set -u
name=$1 folder=$2 bin=$3

hostname "$name"
# Volumes with mountPropagation need shared mounts; the namespace keeps them from the machine.
mount --make-rshared /

# kubelet sets these for the whole machine; let it write into files of ours.
for setting in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1; do
  file="$folder/sysctl-$(basename "${setting%%=*}")"
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%%=*}"
done

# Paths that the programs have hard-wired: each node gets its own behind them.
for path in /var/lib/kubelet /var/log/containers /var/log/pods /var/lib/cni /etc/cni; do
  mkdir -p "$path" "$folder/own$path"
  mount --bind "$folder/own$path" "$path"
done
mount -t tmpfs -o mode=755 tmpfs /run

log() { exec >>"$folder/$1.log" 2>&1; }
start() {
  local program=$1
  shift
  (log "$program" && exec "$@") &
}

start containerd containerd --config "$folder/containerd.toml"
for _ in $(seq 100); do [ -S /run/containerd/containerd.sock ] && break; sleep 0.1; done
start kubelet "$bin/kubelet" --config="$folder/kubelet.json" --kubeconfig="$folder/kubelet.kubeconfig" \
  --root-dir="$folder/own/var/lib/kubelet" --hostname-override="$name" --node-ip="$(cat "$folder/address")"
start kube-proxy "$bin/kube-proxy" --config="$folder/kube-proxy.json"
# PID 1 reaps; it never ends by itself, even when one of its programs does.
while true; do wait -n || sleep 1; done
