import type { Finding } from './finding.ts';
import type { Utterance } from './utterance.ts';

/**
 * Recordings of a corpus that are not those that a manifest was built from, by their sha256: features of the one would stand
 * for the other. Only what both have hashed is compared; each recording is told once.
 */
export function changedRecordings(manifest: readonly Utterance[], corpus: readonly Utterance[]): Finding[] {
  const before = new Map(manifest.map(({ media }) => [media?.path, media?.sha256 ?? null]));
  const told = new Set<string>();
  const findings: Finding[] = [];
  for (const { id, media } of corpus) {
    const was = before.get(media?.path) ?? null;
    const is = media?.sha256 ?? null;
    if (media === null || was === null || is === null || was === is || told.has(media.path)) continue;
    told.add(media.path);
    const expected = `the manifest's recording (sha256 ${was.slice(0, 12)})`;
    const found = `another one (${is.slice(0, 12)}), which \`lsgmer manifest build\` would take`;
    findings.push({
      kind: 'media-changed',
      level: 'error',
      id,
      file: media.path,
      line: null,
      expected,
      found,
    });
  }
  return findings;
}
