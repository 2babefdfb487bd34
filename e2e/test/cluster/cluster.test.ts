import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, inject, test } from 'vitest';
import { Kubectl } from '../../cluster/kubectl.ts';

const { isOurs, kubeconfig } = inject('target');
const program = resolve(import.meta.dirname, '../../cluster/main.ts');

test.runIf(isOurs)(
  'a second cluster on the machine is refused with the owner of the first',
  async () => {
    const { status, stderr } = spawnSync(process.execPath, [program, 'up', '1'], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /a cluster runs here already, started by pid \d+ .* in \S+; .*`make down`/,
    );
    const ready = await new Kubectl(kubeconfig).run(['get', '--raw', '/readyz']);
    expect(ready).toBe('ok');
  },
);
