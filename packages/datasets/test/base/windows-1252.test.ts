import { expect, it } from 'vitest';
import { decodeWindows1252, repairC1 } from '../../src/base/windows-1252.ts';

// as Python's cp1252 decodes the bytes 0x80 to 0x9f that it defines
const DEFINED = '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ';
const BYTES = Array.from({ length: 32 }, (_, i) => 0x80 + i).filter(
  (byte) => ![0x81, 0x8d, 0x8f, 0x90, 0x9d].includes(byte),
);

it('knows the 27 characters that windows-1252 puts in the place of C1 controls', () => {
  expect(decodeWindows1252(Uint8Array.from(BYTES))).toBe(DEFINED);
  expect(repairC1(String.fromCharCode(...BYTES))).toBe(DEFINED);
});

it('leaves everything else as Latin-1 has it', () => {
  expect(decodeWindows1252(Uint8Array.from([0x41, 0x81, 0xa0, 0xff]))).toBe('A\u0081\u00a0ÿ');
  expect(repairC1('aż€\u009d')).toBe('aż€\u009d');
});
