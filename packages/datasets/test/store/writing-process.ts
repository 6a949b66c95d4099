import { writeSync } from 'node:fs';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { readFeatureSetIndex } from '../../src/store/index-union.ts';
import { planExtraction } from '../../src/store/plan.ts';
import { sampleRow, sampleSpec } from './sample-rows.ts';

/**
 * A process that writes rows `from` to `to` of the sample set, as extraction does: plan, then whatever is left.
 * It prints one byte a row, so that the test can kill it anywhere. Run as: node <bundle> <store> <part> <from> <to>
 * [<seconds>]: with it, shards never end by their size, and rows reach the file within so many seconds.
 */
const [store = '', part = '', from, to, seconds] = process.argv.slice(2);
const spec = sampleSpec();
const rows = Array.from({ length: Number(to) - Number(from) }, (_, i) =>
  sampleRow(spec, Number(from) + i, i % 3 ? 'train' : 'test'),
);
const writer = openFeatureSetWriter({
  store,
  spec,
  part,
  ...(seconds === undefined
    ? { shardBytes: 4000 }
    : { now: () => performance.now(), settleSeconds: Number(seconds) }),
});
const left = new Set(planExtraction(rows, readFeatureSetIndex([store], spec)).todo);
for (const row of rows) {
  if (!left.has(row.id)) continue;
  writer.append(row);
  writeSync(1, '.');
}
writer.close();
