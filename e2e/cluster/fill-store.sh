#!/bin/bash
# Makes the images of STORE/containerd exactly those of the archives, in mount and pid namespaces of its own.
#   fill-store.sh STORE ARCHIVE...
set -eu
store=$1
shift

mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
containerd --config "$store/containerd.toml" >"$store/containerd.log" 2>&1 &
for _ in $(seq 100); do [ -S /run/containerd/containerd.sock ] && break; sleep 0.1; done

images() { ctr -n k8s.io images "$@"; }

wanted=$(for archive in "$@"; do tar -xOf "$archive" manifest.json | grep -o '"RepoTags":\["[^"]*' | cut -d'"' -f4; done)
for image in $(images ls -q); do
  case " "$(echo $wanted)" " in *" $image "*) ;; *) images rm --sync "$image" >/dev/null ;; esac
done
for archive in "$@"; do
  name=$(tar -xOf "$archive" manifest.json | grep -o '"RepoTags":\["[^"]*' | cut -d'"' -f4)
  images ls -q | grep -qxF "$name" || images import "$archive"
done
kill %1
wait %1 || true
