import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage } from './images.ts';
import { folders } from './layout.ts';
import { run, runArgs } from './shell.ts';

const mirror = 'http://deb.debian.org/debian';
const npmPackage = 'npm@11.21.2';

/**
 * An image of the shape of `node:24-bookworm-slim` (Debian 12 without docs, Node in /usr/local, npm, user
 * `node` 1000), made from the machine's Debian mirror, npm registry and the Node that runs us.
 */
export function ensureBaseImage(say: (text: string) => void): string {
  const name = `localhost/parley-node:${process.versions.node}`;
  const stamp = join(folders.images, `base-${process.versions.node}`);
  if (existsSync(stamp)) return name;
  say('making the base image: Debian 12 by debootstrap and Node (about 40 s, once)');
  const folder = join(folders.images, 'base');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    makeRoot(join(folder, 'root'));
    run(`tar -C ${folder}/root --numeric-owner -cf ${folder}/root.tar .`);
    rmSync(join(folder, 'root'), { recursive: true });
    const file = join(folder, 'Dockerfile');
    writeFileSync(
      file,
      `FROM scratch\nADD root.tar /\nENV NODE_VERSION=${process.versions.node}\nCMD ["node"]\n`,
    );
    buildImage({ name, context: folder, file });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  writeFileSync(stamp, '');
  return name;
}

function makeRoot(root: string): void {
  runArgs('debootstrap', ['--variant=minbase', '--include=libstdc++6', 'bookworm', root, mirror]);
  for (const path of [
    'var/cache/apt',
    'var/lib/apt/lists',
    'var/log',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/info',
    'usr/share/locale',
  ])
    runArgs('find', [join(root, path), '-mindepth', '1', '-delete']);
  run(`chroot ${root} useradd --uid 1000 --user-group --create-home --shell /bin/bash node`);
  const local = join(root, 'usr/local');
  copyFileSync(process.execPath, join(local, 'bin/node'));
  chmodSync(join(local, 'bin/node'), 0o755);
  installNpm(local);
}

function installNpm(local: string): void {
  const folder = join(local, 'lib/node_modules/npm');
  mkdirSync(folder, { recursive: true });
  const archive = run(`npm pack --silent --pack-destination ${local} ${npmPackage}`).trim();
  run(`tar -xzf ${join(local, archive)} --strip-components=1 --no-same-owner -C ${folder}`);
  rmSync(join(local, archive));
  for (const name of ['npm', 'npx'])
    run(`ln -s ../lib/node_modules/npm/bin/${name}-cli.js ${local}/bin/${name}`);
}
