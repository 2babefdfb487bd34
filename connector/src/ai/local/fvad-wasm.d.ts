/** The package has no types: libfvad's functions as Emscripten exports them. */
declare module '@echogarden/fvad-wasm' {
  export interface Fvad {
    readonly HEAP16: Int16Array;
    readonly _malloc: (sizeBytes: number) => number;
    readonly _free: (address: number) => void;
    readonly _fvad_new: () => number;
    readonly _fvad_free: (instance: number) => void;
    readonly _fvad_set_mode: (instance: number, mode: number) => number;
    readonly _fvad_set_sample_rate: (instance: number, rateHz: number) => number;
    /** 1 speech, 0 none, -1 for a length that is not 10, 20 or 30 ms. */
    readonly _fvad_process: (instance: number, address: number, samples: number) => number;
  }
  export default function createModule(): Promise<Fvad>;
}
