import { describe, expect, it } from 'vitest';
import {
  f32x4,
  get,
  i32,
  Instance,
  Memory,
  Module,
  moduleBytes,
  repeatWhile,
  set,
  splat,
} from '../../src/engine/wasm.ts';

describe('WebAssembly encoder', () => {
  it('writes the bytes of the specification: an empty function', () => {
    expect([...moduleBytes('f', [], [], [])]).toEqual(
      // magic and version; sections type, import (env.memory), function, export, code
      [
        [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
        [0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
        [
          0x02, 0x0f, 0x01, 0x03, 0x65, 0x6e, 0x76, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00,
          0x01,
        ],
        [0x03, 0x02, 0x01, 0x00],
        [0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
        [0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b],
      ].flat(),
    );
  });

  it.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 2 ** 31 - 1, -(2 ** 31)])('constant %i', (value) => {
    const memory = new Memory({ initial: 1, maximum: 1 });
    // i32.store, aligned to bytes
    const store = [...get(0), ...i32.constant(value), 0x36, 0, 0];
    const { exports } = new Instance(new Module(moduleBytes('f', ['i32'], [], store)), { env: { memory } });
    (exports['f'] as (at: number) => void)(8);
    expect(new Int32Array(memory.buffer)[2]).toBe(value);
  });

  it('runs a loop over fours of floats', () => {
    // x <- sqrt((x * a - x) / a + a), from address 0 to `end`
    const [at, end, a, aa, x] = [0, 1, 2, 3, 4];
    const value = f32x4.div(f32x4.sub(f32x4.mul(get(x), get(aa)), get(x)), get(aa));
    const body = [
      ...set(aa, splat(get(a))),
      ...repeatWhile(
        [
          ...set(x, f32x4.load(get(at))),
          ...f32x4.store(get(at), f32x4.sqrt(f32x4.add(value, get(aa)))),
          ...set(at, i32.add(get(at), i32.constant(16))),
        ],
        i32.below(get(at), get(end)),
      ),
    ];
    const memory = new Memory({ initial: 1, maximum: 1 });
    const floats = new Float32Array(memory.buffer);
    floats.set([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const bytes = moduleBytes('f', ['i32', 'i32', 'f32'], ['v128', 'v128'], body);
    const { exports } = new Instance(new Module(bytes), { env: { memory } });
    (exports['f'] as (at: number, end: number, a: number) => void)(0, 32, 2.5);
    const f = Math.fround;
    const expected = [1, 2, 3, 4, 5, 6, 7, 8].map((v) => f(Math.sqrt(f(f(f(f(v * 2.5) - v) / 2.5) + 2.5))));
    expect([...floats.subarray(0, 10)]).toEqual([...expected, 9, 0]);
  });
});
