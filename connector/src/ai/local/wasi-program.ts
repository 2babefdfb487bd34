/**
 * The few calls of WASI preview 1 that a command line program needs which reads its arguments and
 * writes one file. That file lives in memory: no folder is touched, and node:wasi, which is
 * experimental and wants real folders, is not needed.
 */

const success = 0;
const badDescriptor = 8;
const noEntry = 44;

/** Descriptors: 0–2 are the standard streams, 3 the root folder, 4 whatever is opened. */
const rootFolder = 3;
const openedFile = 4;

/** proc_exit leaves the program by this. */
class ProgramExit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

/** What the program wrote to the file it opened. Throws when it ends with a status other than 0. */
export function runProgram(module: WebAssembly.Module, args: readonly string[]): Buffer {
  const program = new Program(args);
  const instance = new WebAssembly.Instance(module, {
    wasi_snapshot_preview1: program.imports(),
  });
  const { memory, _start: start } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory) || !isCommand(start))
    throw new Error('not a WASI command');
  program.memory = memory;
  try {
    start();
  } catch (error) {
    if (!(error instanceof ProgramExit)) throw error;
    if (error.status !== 0)
      throw new Error(`the program ended with status ${error.status}`, { cause: error });
  }
  return program.file();
}

function isCommand(exported: unknown): exported is () => void {
  return typeof exported === 'function';
}

class Program {
  memory = new WebAssembly.Memory({ initial: 0 });
  readonly #args: readonly Buffer[];
  #file = Buffer.alloc(65_536);
  #size = 0;
  #position = 0;

  constructor(args: readonly string[]) {
    this.#args = args.map((arg) => Buffer.from(`${arg}\0`));
  }

  file(): Buffer {
    return this.#file.subarray(0, this.#size);
  }

  imports(): Record<string, unknown> {
    return {
      args_sizes_get: (count: number, size: number) =>
        this.#put32(count, this.#args.length) ||
        this.#put32(size, Buffer.concat(this.#args).length),
      args_get: (pointers: number, text: number) => this.#argsGet(pointers, text),
      clock_time_get: (_id: number, _precision: bigint, time: number) => this.#put64(time, 0n),
      fd_close: () => success,
      fd_fdstat_get: (descriptor: number, stat: number) => this.#fdStat(descriptor, stat),
      fd_fdstat_set_flags: () => success,
      fd_prestat_get: (descriptor: number, stat: number) =>
        descriptor === rootFolder
          ? this.#put32(stat, 0) || this.#put32(stat + 4, 1)
          : badDescriptor,
      fd_prestat_dir_name: (_descriptor: number, path: number) => {
        this.#bytes()[path] = 0x2f;
        return success;
      },
      fd_read: (...args: number[]) => this.#put32(args[3] ?? 0, 0),
      fd_seek: (...args: (number | bigint)[]) => this.#seek(args.map(Number)),
      fd_write: (...args: number[]) => this.#write(args),
      path_open: (...args: number[]) => this.#open(args),
      proc_exit: (status: number) => {
        throw new ProgramExit(status);
      },
    };
  }

  #bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  #put32(address: number, value: number): number {
    new DataView(this.memory.buffer).setUint32(address, value, true);
    return success;
  }

  #put64(address: number, value: bigint): number {
    new DataView(this.memory.buffer).setBigUint64(address, value, true);
    return success;
  }

  #argsGet(pointers: number, text: number): number {
    let address = text;
    for (const [index, arg] of this.#args.entries()) {
      this.#put32(pointers + 4 * index, address);
      this.#bytes().set(arg, address);
      address += arg.length;
    }
    return success;
  }

  /** struct fdstat: u8 type, u16 flags, u64 rights, u64 inheriting rights. */
  #fdStat(descriptor: number, stat: number): number {
    const types = [2, 2, 2, 3, 4];
    const type = types[descriptor];
    if (type === undefined) return badDescriptor;
    this.#bytes().fill(0xff, stat + 8, stat + 24);
    return this.#put64(stat, BigInt(type));
  }

  #seek([descriptor = 0, offset = 0, whence = 0, result = 0]: readonly number[]): number {
    if (descriptor !== openedFile) return badDescriptor;
    const bases = [0, this.#position, this.#size];
    this.#position = (bases[whence] ?? 0) + offset;
    return this.#put64(result, BigInt(this.#position));
  }

  #write([descriptor = 0, vectors = 0, count = 0, result = 0]: readonly number[]): number {
    const view = new DataView(this.memory.buffer);
    let written = 0;
    for (let index = 0; index < count; index++) {
      const address = view.getUint32(vectors + 8 * index, true);
      const length = view.getUint32(vectors + 8 * index + 4, true);
      if (descriptor === openedFile)
        this.#append(this.#bytes().subarray(address, address + length));
      written += length;
    }
    return this.#put32(result, written);
  }

  #append(bytes: Uint8Array): void {
    const end = this.#position + bytes.length;
    if (end > this.#file.length) {
      const grown = Buffer.alloc(Math.max(end, 2 * this.#file.length));
      this.#file.copy(grown);
      this.#file = grown;
    }
    this.#file.set(bytes, this.#position);
    this.#position = end;
    this.#size = Math.max(this.#size, end);
  }

  /** Only files to write exist: what is opened with O_CREAT. */
  #open(args: readonly number[]): number {
    const [openFlags = 0, descriptor = 0] = [args[4], args[8]];
    if ((openFlags & 1) === 0) return noEntry;
    return this.#put32(descriptor, openedFile);
  }
}
