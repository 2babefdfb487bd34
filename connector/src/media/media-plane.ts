import { isIPv6 } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { ConnectorError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { CodecName } from './audio/codecs.ts';
import { loadOpus, type OpusLibrary } from './audio/opus.ts';
import { Endpoint } from './endpoint.ts';
import { type AudioFormat, telephoneFormats } from './format.ts';
import { PortPool, type PortRange } from './rtp/ports.ts';
import { openSocketPair, type SocketPair } from './rtp/socket.ts';
import { Wheel } from './wheel.ts';

export interface MediaPlaneOptions {
  /** IP address to bind. */
  readonly address: string;
  /** IP address in our SDP, where it is not the one that is bound. */
  readonly advertisedAddress?: string;
  /** RTP on the even ports, RTCP on the odd ones above them. */
  readonly ports: PortRange;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export interface MediaPlaneStats {
  readonly endpoints: number;
  /** Calls that the ports which are free and rested would take now. */
  readonly availablePorts: number;
  readonly portPairs: number;
  /** Time for which no frames were sent because the process was too late. */
  readonly skipped: number;
}

/** All audio of the process: one clock, one range of ports. */
export class MediaPlane {
  readonly #options: MediaPlaneOptions;
  readonly #pool: PortPool;
  readonly #wheel: Wheel;
  #opus: { readonly library: OpusLibrary | undefined } | undefined;
  readonly #endpoints = new Set<Endpoint>();
  #isClosed = false;

  constructor(options: MediaPlaneOptions) {
    this.#options = options;
    this.#pool = new PortPool(options.ports, options);
    this.#wheel = new Wheel(options.clock);
  }

  /** Rejects with RTP_PORTS_EXHAUSTED when no port pair is free and rested. */
  async createEndpoint(options: {
    readonly id: string;
    readonly codecs: readonly CodecName[];
    /** What the conversation takes, best liked first; G.711 by default. */
    readonly formats?: readonly AudioFormat[];
  }): Promise<Endpoint> {
    const opus = options.codecs.includes('OPUS') ? this.#loadOpus() : undefined;
    const [first, ...others] = options.codecs.filter((name) => name !== 'OPUS' || opus);
    if (!first) throw new ConnectorError('CONFIG_INVALID', 'an endpoint needs a codec');
    const { port, sockets } = await this.#openPair();
    const { address, advertisedAddress = address } = this.#options;
    const endpoint: Endpoint = new Endpoint({
      ...this.#options,
      id: options.id,
      codecs: [first, ...others],
      formats: options.formats ?? telephoneFormats,
      opus,
      sockets,
      advertised: { address: advertisedAddress, port },
      family: isIPv6(advertisedAddress) ? 6 : 4,
      wheel: this.#wheel,
      onClosed: ({ isAnnounced }) => {
        this.#endpoints.delete(endpoint);
        if (isAnnounced) this.#pool.release(port);
        else this.#pool.giveBack(port);
      },
    });
    this.#endpoints.add(endpoint);
    if (this.#isClosed) await endpoint.close();
    return endpoint;
  }

  stats(): MediaPlaneStats {
    return {
      endpoints: this.#endpoints.size,
      availablePorts: this.#pool.available,
      portPairs: this.#pool.size,
      skipped: this.#wheel.skipped,
    };
  }

  /** Closes all endpoints. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#endpoints].map((endpoint) => endpoint.close()));
  }

  /** At the first call that may want it; a machine without it goes on without. */
  #loadOpus(): OpusLibrary | undefined {
    if (this.#opus) return this.#opus.library;
    const { library, reasons } = loadOpus();
    this.#opus = { library };
    const { log } = this.#options;
    if (!library) log.warn({ reasons }, 'no Opus on this machine, it is left out');
    else if (reasons.length > 0) log.info({ reasons }, 'Opus runs as WebAssembly');
    return library;
  }

  async #openPair(): Promise<{ readonly port: number; readonly sockets: SocketPair }> {
    for (let port = this.#pool.take(); port !== undefined; port = this.#pool.take()) {
      const sockets = await this.#tryPair(port);
      if (sockets) return { port, sockets };
    }
    throw new ConnectorError('RTP_PORTS_EXHAUSTED', 'no RTP port is free');
  }

  /** Undefined when something else has one of the two; the port then rests as a used one does. */
  async #tryPair(port: number): Promise<SocketPair | undefined> {
    try {
      return await openSocketPair({ address: this.#options.address, port });
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE') {
        this.#pool.release(port);
        return undefined;
      }
      this.#pool.giveBack(port);
      if (!exhaustion.has(codeOf(error))) throw error;
      throw new ConnectorError('RTP_PORTS_EXHAUSTED', `no RTP socket can be had: ${codeOf(error)}`);
    }
  }
}

/** The process or the machine has no room for more: other processes may still take the call. */
const exhaustion: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
