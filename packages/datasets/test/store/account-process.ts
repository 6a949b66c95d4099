import { UserError } from '../../src/base/errors.ts';
import { exportFeatures } from '../../src/exchange/export-features.ts';
import { FolderRemote } from '../../src/share/folder-remote.ts';
import { pushFeatures } from '../../src/share/push.ts';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { pinRun } from '../../src/store/pins.ts';
import { sampleRow, sampleSpec } from './sample-rows.ts';

/**
 * What an account does with a store: node <bundle> write|read|pin <store> <part> <from> <to>, push <store> <folder> or
 * export <store> <folder>. Says how it went.
 */
const [what, store = '', part = '', from, to] = process.argv.slice(2);
const spec = sampleSpec();
try {
  if (what === 'write') {
    const writer = openFeatureSetWriter({ store, spec, part });
    for (let i = Number(from); i < Number(to); i++) writer.append(sampleRow(spec, i));
    writer.close();
    process.stdout.write('written');
  } else if (what === 'pin') {
    const stores = pinRun([store], spec.dataset, {
      run: part,
      fingerprints: { [spec.feature]: spec.fingerprint },
    });
    process.stdout.write(`pinned ${stores.length}`);
  } else if (what === 'push') {
    await pushFeatures({ stores: [store], dataset: spec.dataset, remote: new FolderRemote(part) });
    process.stdout.write('pushed');
  } else if (what === 'export') {
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    await exportFeatures({ set, to: 'npy', out: part, pool: null, force: false });
    process.stdout.write('exported');
  } else {
    const set = openFeatureSet({ stores: [store], dataset: spec.dataset, feature: spec.feature });
    for (const id of set.ids()) set.read(id);
    process.stdout.write(`read ${set.ids().length}`);
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stdout.write(`refused: ${error.message}`);
}
