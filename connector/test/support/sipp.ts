import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SippRun {
  /** Path of an XML scenario. */
  readonly scenario: string;
  /** `host:port` of the far end; absent for a scenario that waits to be called. */
  readonly target?: string;
  /** Its own address; `127.0.0.1` where absent. */
  readonly local?: string;
  /** Extra flags, as on the command line (`-t t1 -p 5070 -m 10`). One call unless it says `-m`. */
  readonly flags?: string;
}

/** Ends of its own accord within half a minute; `errors` is what sipp says went otherwise than planned. */
export interface SippResult {
  readonly passed: boolean;
  readonly errors: string;
}

/** Runs sipp on loopback until its calls are over. */
export async function sipp({
  scenario,
  target,
  local = '127.0.0.1',
  flags = '',
}: SippRun): Promise<SippResult> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-sipp-'));
  const errors = join(folder, 'errors.log');
  const calls = flags.includes('-m ') ? '' : '-m 1 ';
  const seconds = Number(/-timeout (\d+)s/.exec(flags)?.[1] ?? 30);
  const limit = flags.includes('-timeout ') ? '' : '-timeout 30s ';
  const fixed = `-i ${local} -nostdin ${limit}-trace_err -error_file ${errors} ${calls}`;
  const args = `-sf ${scenario} ${fixed}${flags} ${target ?? ''}`.split(' ').filter(Boolean);
  // Its own -timeout waits for calls that are up, however long.
  const child = spawn('sipp', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: (seconds + 10) * 1000,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  const written = readOptional(errors);
  rmSync(folder, { recursive: true });
  return { passed: code === 0, errors: code === 0 ? '' : `exit ${code}\n${said}${written}` };
}

function readOptional(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
