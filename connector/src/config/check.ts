import { checkAgent } from '../contract/agent-check.ts';
import type { ConfigProblem } from './problem.ts';
import type { ConfigFile } from './schema.ts';

/** What a configuration of the right shape still contradicts. */
export function checkConfig(config: ConfigFile): ConfigProblem[] {
  return [
    ...checkListen(config.sip),
    ...checkPorts(config),
    ...checkUsers(config.sip),
    ...checkChoices(config),
    ...checkAgent(config.agent).map(({ path, reason }) => ({ path: ['agent', ...path], reason })),
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

function checkPorts({ rtp, sip, agent }: ConfigFile): ConfigProblem[] {
  const path = ['rtp', 'ports'];
  const { first, last } = rtp.ports;
  const pairs = (last - first + 1) / 2;
  const taken = sip.listen.filter(
    ({ protocol, port }) => protocol === 'udp' && port >= first && port <= last,
  );
  return [
    ...(pairs < agent.maxCalls
      ? [{ path, reason: `${pairs} port pairs are too few for agent.maxCalls ${agent.maxCalls}` }]
      : []),
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
