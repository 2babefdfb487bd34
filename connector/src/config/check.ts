import { checkAgent } from '../contract/agent-check.ts';
import { agentsOf } from './agents.ts';
import type { ConfigProblem } from './problem.ts';
import type { ConfigFile } from './schema.ts';

/** What a configuration of the right shape still contradicts. */
export function checkConfig(config: ConfigFile): ConfigProblem[] {
  return [
    ...checkListen(config.sip),
    ...checkPorts(config),
    ...checkUsers(config.sip),
    ...checkChoices(config),
    ...checkAgents(config),
    ...checkOverride(config),
  ];
}

function checkListen({ listen, tls }: ConfigFile['sip']): ConfigProblem[] {
  const names = listen.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`);
  return listen.flatMap(({ protocol, port }, index) => {
    const path = ['sip', 'listen', index];
    if ((protocol === 'tls' || protocol === 'wss') && tls === undefined)
      return [{ path, reason: `a ${protocol}:// address needs sip.tls with certFile and keyFile` }];
    const isRepeated = port !== 0 && names.indexOf(names[index] ?? '') < index;
    return isRepeated ? [{ path, reason: 'is there twice' }] : [];
  });
}

function checkPorts({ rtp, sip, ...file }: ConfigFile): ConfigProblem[] {
  const path = ['rtp', 'ports'];
  const { first, last } = rtp.ports;
  const pairs = (last - first + 1) / 2;
  const taken = sip.listen.filter(
    ({ protocol, port }) => protocol === 'udp' && port >= first && port <= last,
  );
  return [
    ...agentsOf(file)
      .filter(({ agent }) => pairs < agent.maxCalls)
      .map(({ path: at, agent: { maxCalls } }) => ({
        path,
        reason: `${pairs} port pairs are too few for ${at}.maxCalls ${maxCalls}`,
      })),
    ...taken.map(({ port }) => ({ path, reason: `holds port ${port} of sip.listen` })),
  ];
}

function checkUsers({ auth }: ConfigFile['sip']): ConfigProblem[] {
  const users = auth?.users ?? [];
  return users.flatMap((user, index) => {
    const path = ['sip', 'auth', 'users', index];
    const isRepeated = users.findIndex(({ name }) => name === user.name) < index;
    const isOne = (user.passwordEnv === undefined) !== (user.passwordFile === undefined);
    return [
      ...(isRepeated ? [{ path: [...path, 'name'], reason: 'is there twice' }] : []),
      ...(isOne ? [] : [{ path, reason: 'needs exactly one of passwordEnv, passwordFile' }]),
    ];
  });
}

function checkChoices({ http }: ConfigFile): ConfigProblem[] {
  return http.tokenEnv !== undefined && http.tokenFile !== undefined
    ? [{ path: ['http'], reason: 'needs at most one of tokenEnv, tokenFile' }]
    : [];
}

function checkAgents(file: ConfigFile): ConfigProblem[] {
  const all = agentsOf(file);
  if (all.length === 0) return [{ path: ['agent'], reason: 'required: expected object' }];
  if (file.agent && file.agents)
    return [{ path: ['agents'], reason: 'cannot stand beside agent: move that into the list' }];
  return all.flatMap(({ path, agent }, index) => {
    const at = pathOf(path);
    const isRepeated = all.findIndex((other) => other.agent.name === agent.name) < index;
    return [
      ...(isRepeated ? [{ path: [...at, 'name'], reason: `"${agent.name}" is used twice` }] : []),
      ...checkAgent(agent).map((problem) => ({ ...problem, path: [...at, ...problem.path] })),
    ];
  });
}

/** A text that names a place, `agents.0`, in its parts. */
export function pathOf(text: string): (string | number)[] {
  return text.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function checkOverride({ override, sip }: ConfigFile): ConfigProblem[] {
  const isKnown = sip.sourceRanges ?? sip.auth ?? override?.header?.sourceRanges;
  const isTrusted = isKnown !== undefined || sip.trustedRanges.length > 0;
  if (!override?.header || isTrusted) return [];
  const reason = 'anybody could send it: set its sourceRanges, sip.sourceRanges or sip.auth';
  return [{ path: ['override', 'header'], reason }];
}

/** What works, but not as it looks; one line each. */
export function warningsOf(file: ConfigFile): string[] {
  return agentsOf(file).flatMap(({ path, agent }) =>
    agent.providers.flatMap((provider, index) =>
      'openai' in provider &&
      provider.openai.dialect === 'ga' &&
      provider.openai.temperature !== undefined
        ? [
            `${path}.providers.${index}.openai.temperature: only the beta dialect has it; it is not sent`,
          ]
        : [],
    ),
  );
}
