/** What we use of WebAssembly: Node has it, its types leave it to the browser's library. */
declare namespace WebAssembly {
  // oxlint-disable-next-line typescript/no-extraneous-class -- opaque in the standard, too
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    constructor(descriptor: { readonly initial: number });
    readonly buffer: ArrayBuffer;
  }
  class Instance {
    constructor(
      module: Module,
      imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
    );
    readonly exports: Readonly<Record<string, unknown>>;
  }
}
