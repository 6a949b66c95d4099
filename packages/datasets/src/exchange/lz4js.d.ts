declare module 'lz4js' {
  const lz4: {
    /** Unpacks LZ4 frames. @throws where they are damaged. */
    decompress(bytes: Uint8Array): Uint8Array;
  };
  export default lz4;
}
