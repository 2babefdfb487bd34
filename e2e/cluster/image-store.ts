/**
 * A containerd folder with the images in it, filled once. Nodes get hard links of its files, which takes
 * a fraction of a second where importing takes many: what is in images is never written to.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folders } from './layout.ts';
import { runArgs } from './shell.ts';

const store = join(folders.images, 'store');
const content = join(store, 'content');

/** Where containerd keeps everything of a node, or of the store. */
export function containerdFolder(folder: string): string {
  return join(folder, 'containerd');
}

/** Puts the images of these archives into the store, and what is not among them out of it. */
export function fillStore(archives: readonly string[], say: (text: string) => void): void {
  const wanted = archives.join('\n');
  if (existsSync(content) && readFileSync(content, 'utf8') === wanted) return;
  say('unpacking images for the nodes (10 s the first time)');
  mkdirSync(store, { recursive: true });
  rmSync(content, { force: true });
  writeFileSync(join(store, 'containerd.toml'), containerdConfig(store));
  const fill = join(import.meta.dirname, 'fill-store.sh');
  const isolated = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  try {
    runArgs('unshare', [...isolated, fill, store, ...archives]);
  } catch (error) {
    // Half a store is worse than none.
    rmSync(store, { recursive: true, force: true });
    throw error;
  }
  writeFileSync(content, wanted);
}

/** Makes `target` a containerd folder of its own with the store's images. */
export function copyStore(target: string): void {
  const source = containerdFolder(store);
  runArgs('cp', ['-a', '--link', source, target]);
  // The databases are written to.
  for (const file of [
    'io.containerd.metadata.v1.bolt/meta.db',
    'io.containerd.snapshotter.v1.overlayfs/metadata.db',
  ])
    runArgs('cp', ['-a', '--remove-destination', join(source, file), join(target, file)]);
}

export function containerdConfig(folder: string): string {
  return `version = 2
root = "${containerdFolder(folder)}"
state = "/run/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
path = "${folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/pause:1"
restrict_oom_score_adj = true
disable_tcp_service = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${folder}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
`;
}
