import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { crc32c, EventFile, scalarEvent, versionEvent } from '../../src/record/event-file.ts';

it('crc32c has the check value of its catalogue', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

it("an event file has the bytes of tensorboard's own writer", () => {
  const golden = readFileSync(new URL('../../../../test/golden/events/events.bin', import.meta.url));
  const start = 1700000000.5;
  const ours = Buffer.concat([
    versionEvent(start),
    scalarEvent(start + 1, 1, { 'train/loss': 1.25, 'dev/ua': 0.5 }),
    scalarEvent(start + 300, 300, { 'train/loss': 1e-3 }),
  ]);
  expect(ours.equals(golden)).toBe(true);
});

it('is appended to, and a run that goes on gets another file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lsgmer-events-'));
  try {
    const file = new EventFile(join(folder, 'a'), 'host.1', () => 5);
    file.add(1, { x: 2 });
    file.add(2, { x: 3 });
    expect(readdirSync(join(folder, 'a'))).toEqual(['events.out.tfevents.5.host.1']);
    const bytes = readFileSync(join(folder, 'a', 'events.out.tfevents.5.host.1'));
    const parts = [versionEvent(5), scalarEvent(5, 1, { x: 2 }), scalarEvent(5, 2, { x: 3 })];
    expect(bytes.equals(Buffer.concat(parts))).toBe(true);
    const further = new EventFile(join(folder, 'a'), 'host.1', () => 6.7);
    further.add(3, { x: 4 });
    expect(readdirSync(join(folder, 'a'))).toHaveLength(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
