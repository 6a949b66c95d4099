import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { generateDemo, silent } from '@lsgmer/datasets';
import { done, type WorkFolder } from './command-line.ts';

/** Computes the features of a demo corpus with toy encoders, or what is lost of them. */
export const EXTRACT = ['features', 'extract', '--dataset', 'demo', '--preset', 'tiny', '--device', 'cpu'];

/** A folder with a demo corpus of 40 utterances, its manifest and features. */
export async function makeDemoStore(place: WorkFolder): Promise<void> {
  await generateDemo(place.path('corpus'), { utterances: 40, reporter: silent });
  done(await place.run('manifest', 'build', '--dataset', 'demo', '--root', place.path('corpus'), '--subset'));
  done(await place.run(...EXTRACT));
}

/** Path of a set's only shard, index part or feature.json. */
export function fileOf(place: WorkFolder, feature: string, ...inside: string[]): string {
  const folder = place.path('store', 'demo', feature);
  const set = join(folder, readdirSync(folder)[0] ?? '', ...inside);
  return inside[0] === 'feature.json' ? set : join(set, readdirSync(set)[0] ?? '');
}
