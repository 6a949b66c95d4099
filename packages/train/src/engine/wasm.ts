/**
 * Just enough of WebAssembly's binary format (core specification 2.0, chapter 5) to write one SIMD function down as
 * instructions instead of bytes.
 */
/** The parts of the global WebAssembly that are used here; Node's typings leave it to the browser's. */
interface WebAssemblyGlobal {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => { readonly exports: { readonly [name: string]: unknown } };
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** A compiled module; nothing of it is read. */
export type WasmModule = object;

export const { Memory, Module, Instance } = (
  globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal }
).WebAssembly;

export type ValueType = 'i32' | 'f32' | 'v128';

const VALUE_TYPES: { readonly [T in ValueType]: number } = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Instructions are byte sequences; a body is their concatenation. */
export type Code = readonly number[];

/** Unsigned LEB128. */
function unsigned(value: number): Code {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    out.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return out;
}

/** Signed LEB128 of a 32-bit number. */
function signed(value: number): Code {
  const out: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    out.push(last ? low : low | 0x80);
    if (last) return out;
  }
}

/** SIMD instructions: prefix 0xfd and a number. */
const simd =
  (number: number) =>
  (...operands: readonly Code[]): Code => [...operands.flat(), 0xfd, ...unsigned(number)];

/** Memory instructions of SIMD take alignment (a hint: log2 of bytes) and offset; none is needed here. */
const ADDRESS = [0, 0];

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  add: (a: Code, b: Code): Code => [...a, ...b, 0x6a],
  below: (a: Code, b: Code): Code => [...a, ...b, 0x49],
};
/** A float32 in all four lanes. */
export const splat = simd(0x13);
/** Four float32 values. */
export const f32x4 = {
  add: simd(0xe4),
  sub: simd(0xe5),
  mul: simd(0xe6),
  div: simd(0xe7),
  sqrt: simd(0xe3),
  load: (address: Code): Code => [...address, 0xfd, 0x00, ...ADDRESS],
  store: (address: Code, value: Code): Code => [...address, ...value, 0xfd, 0x0b, ...ADDRESS],
};

/** Repeats `body` as long as `condition` holds after it; the first pass is unconditional. */
export const repeatWhile = (body: Code, condition: Code): Code => [
  0x03, // loop, without a result
  0x40,
  ...body,
  ...condition,
  0x0d, // br_if to the loop's start
  0,
  0x0b,
];

/**
 * A module that imports the memory `env.memory` and exports one function without a result.
 * @param locals types of the local variables after the parameters
 */
export function moduleBytes(
  name: string,
  parameters: readonly ValueType[],
  locals: readonly ValueType[],
  body: Code,
): Uint8Array {
  const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
  const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
  const text = (value: string): Code => list([...new TextEncoder().encode(value)].map((byte) => [byte]));
  const types = (of: readonly ValueType[]): Code => list(of.map((type) => [VALUE_TYPES[type]]));
  const code = [...list(locals.map((type) => [1, VALUE_TYPES[type]])), ...body, 0x0b];
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, list([[0x60, ...types(parameters), 0]])), // the function's type
    ...section(2, list([[...text('env'), ...text('memory'), 2, 0, 1]])), // a memory of at least one page
    ...section(3, list([[0]])), // one function, of type 0
    ...section(7, list([[...text(name), 0, 0]])), // exported
    ...section(10, list([[...unsigned(code.length), ...code]])),
  ]);
}
