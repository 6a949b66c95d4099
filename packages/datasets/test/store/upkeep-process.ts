import { readFileSync, writeSync } from 'node:fs';
import { compactSet } from '../../src/store/compact.ts';
import { repairSet } from '../../src/store/repair.ts';
import { locateSets } from '../../src/store/set-location.ts';
import { parseSpec } from '../../src/store/shard-schema.ts';
import { specPath } from '../../src/store/layout.ts';
import { verifySet } from '../../src/store/verify.ts';

/** A process that looks after the sample set and may be killed anywhere: node <bundle> compact|repair <store> */
const [what, store = ''] = process.argv.slice(2);
const [location] = locateSets([store], 'sample');
if (!location) throw new Error('no set');
if (what === 'repair') {
  const check = await verifySet(location);
  writeSync(1, '.');
  repairSet(check, { now: new Date('2026-03-04T00:00:00Z'), shardBytes: 20_000 });
} else {
  const path = specPath(location.folder);
  writeSync(1, '.');
  await compactSet(location, parseSpec(readFileSync(path, 'utf8'), path), { shardBytes: 20_000 });
}
