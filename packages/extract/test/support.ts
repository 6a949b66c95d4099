import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A folder or file of the shared test data, or undefined (with a line that says so) where it is absent. */
export function sharedData(path: string): string | undefined {
  const found = fileURLToPath(new URL(`../shared/data/${path}`, `file://${ROOT}`));
  if (existsSync(found)) return found;
  process.stderr.write(`skipped: ../shared/data/${path} is absent\n`);
  return undefined;
}

/** Path of a committed golden file or folder under test/golden/. */
export function goldenPath(path: string): string {
  return `${ROOT}test/golden/${path}`;
}

/** A committed golden file under test/golden/. */
export function golden(path: string): unknown {
  return JSON.parse(readFileSync(`${ROOT}test/golden/${path}`, 'utf8')) as unknown;
}

/** Largest absolute difference; NaN where a value is NaN or the lengths differ. */
export function largestError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return NaN;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs((found[i] as number) - (expected[i] as number));
    if (!(error <= largest)) largest = error;
    if (Number.isNaN(error)) return NaN;
  }
  return largest;
}
