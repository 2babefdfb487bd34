#!/bin/sh
# Makes a bare Debian (git, Node >= 18, npm) ready. What is already there is left alone.
#   setup.sh        npm packages (Node 24 among them)
#   setup.sh test   and the Debian packages of the tests' foreign peers
#   setup.sh bench  and what the benchmark needs
#   setup.sh cluster  and what a Kubernetes cluster on this machine is made of
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

need_npm() {
  stamp=node_modules/.parley-setup
  if [ ! -f "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
    say "setup: npm packages (half a minute on a new machine)"
    # The CPU build of the ONNX runtime is in its package; its install step would fetch CUDA libraries.
    ONNXRUNTIME_NODE_INSTALL=skip npm ci --no-fund --no-audit --loglevel=error >&2
    touch "$stamp"
  fi
}

need_debian() {
  missing=
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing="$missing ${pair#*=}"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "setup: missing programs. As root: apt-get update && apt-get install -y --no-install-recommends$missing"
    exit 1
  fi
  say "setup: Debian packages:$missing"
  log=$(mktemp)
  # A package's own service must not start here: the tests run their own processes.
  policy=/usr/sbin/policy-rc.d
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && trap 'rm -f /usr/sbin/policy-rc.d' EXIT; }
  # shellcheck disable=SC2086
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    exit 1
  fi
  rm -f "$log"
}

# A cluster's programs that Debian has, and Go for those that it has not.
cluster_debian='etcd=etcd-server containerd=containerd runc=runc /usr/lib/cni/bridge=containernetworking-plugins
  buildah=buildah debootstrap=debootstrap ip=iproute2 nft=nftables nsenter=util-linux sysctl=procps unzip=unzip
  openssl=openssl go=golang-go'

need_npm
case "${1:-}" in
  '') ;;
  test) need_debian sipp=sip-tester kamailio=kamailio /usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so=kamailio-tls-modules baresip=baresip faketime=faketime python3=python3 openssl=openssl $cluster_debian ;;
  cluster) need_debian $cluster_debian ;;
  bench) need_debian taskset=util-linux sipp=sip-tester go=golang-go ;;
  *) say "setup: unknown argument '$1' (test, bench, cluster)"; exit 2 ;;
esac
