/** The part of the codec package that is used; it has no types of its own. */
declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  export interface J2KDecoder {
    /** Room for a codestream, in the codec's memory: to be filled at once. */
    getEncodedBuffer(length: number): Uint8Array;
    decode(): void;
    /** Decodes with width and height halved `reduce` times, all quality layers for 0. */
    decodeSubResolution(reduce: number, layers: number): void;
    /** A copy of the samples, pixel by pixel, in as many bytes each as their bits need. */
    getDecodedBuffer(): Uint8ClampedArray<ArrayBuffer>;
    delete(): void;
  }

  export interface CodecModule {
    J2KDecoder: new () => J2KDecoder;
    HEAPU8: Uint8Array;
  }

  // biome-ignore lint/style/noDefaultExport: the package has it so.
  export default function factory(options: {
    wasmBinary: Uint8Array;
    print(line: string): void;
    printErr(line: string): void;
  }): Promise<CodecModule>;
}
