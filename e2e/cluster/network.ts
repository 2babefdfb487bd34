import { bridge, hostAddress, type Node, nodeOf } from './layout.ts';
import { attempt, run, runArgs } from './shell.ts';

/**
 * The bridge says whose cluster runs on this machine, whichever checkout it is of: making it is the
 * lock, its alias names the owner. Returns the owner when there is one already.
 */
export function claimBridge(owner: string): string | undefined {
  if (!attempt(`ip link add ${bridge} type bridge`)) return bridgeOwner() ?? 'somebody';
  runArgs('ip', ['link', 'set', bridge, 'alias', owner]);
  return undefined;
}

export function bridgeOwner(): string | undefined {
  if (!attempt(`ip link show ${bridge}`)) return undefined;
  const [link] = JSON.parse(run(`ip -j link show ${bridge}`)) as [{ ifalias?: string }];
  return link.ifalias;
}

/** A network namespace and a veth pair to the bridge for each node. No way out. */
export function createNetwork(nodes: readonly Node[]): void {
  run(`ip addr add ${hostAddress}/24 dev ${bridge}`);
  run(`ip link set ${bridge} up`);
  for (const node of nodes) createNodeNetwork(node);
  for (const node of nodes) {
    run(`ip route add ${node.podRange} via ${node.address}`);
    for (const other of nodes)
      if (other !== node)
        run(`ip -n ${node.netns} route add ${other.podRange} via ${other.address}`);
  }
}

function createNodeNetwork({ netns, link, address }: Node): void {
  run(`ip netns add ${netns}`);
  run(`ip link add ${link} type veth peer name eth0 netns ${netns}`);
  run(`ip link set ${link} master ${bridge} up`);
  run(`ip -n ${netns} link set lo up`);
  run(`ip -n ${netns} addr add ${address}/24 dev eth0`);
  run(`ip -n ${netns} link set eth0 up`);
  // Addresses of services need a route before kube-proxy's rules see the packet.
  run(`ip -n ${netns} route add default via ${hostAddress}`);
  run(`nsenter --net=/run/netns/${netns} sysctl -qw net.ipv4.ip_forward=1`);
}

/** Removes it all; what is not there is no fault. */
export function removeNetwork(): void {
  for (let number = 1; number <= 9; number++) {
    const { netns, link } = nodeOf(number);
    attempt(`ip link del ${link}`);
    attempt(`ip netns del ${netns}`);
  }
  attempt(`ip link del ${bridge}`);
}
