import { describe, expect, it } from 'vitest';
import { read, repositoryFiles } from './source-tree.ts';

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const manifests = repositoryFiles().filter(
  (f) => f === 'package.json' || /^packages\/[a-z]+\/package\.json$/.test(f),
);

describe('dependencies', () => {
  it('are pinned to one exact version', () => {
    expect(manifests).toHaveLength(7);
    const loose: string[] = [];
    for (const file of manifests) {
      const manifest = JSON.parse(read(file)) as Manifest;
      for (const group of ['dependencies', 'devDependencies', 'optionalDependencies'] as const)
        for (const [name, version] of Object.entries(manifest[group] ?? {}))
          if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) loose.push(`${file}: ${name}@${version}`);
    }
    expect(loose).toEqual([]);
  });

  it('each have their reason in docs/decisions.md', () => {
    const decisions = read('docs/decisions.md');
    const missing = manifests.flatMap((file) => {
      const manifest = JSON.parse(read(file)) as Manifest;
      const names = Object.keys({
        ...manifest.dependencies,
        ...manifest.devDependencies,
        ...manifest.optionalDependencies,
      });
      return names
        .filter((n) => !n.startsWith('@lsgmer/') && !decisions.includes(`\`${n}\``))
        .map((n) => `${file}: ${n}`);
    });
    expect(missing).toEqual([]);
  });

  it('are the ones that the lock file holds', () => {
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, Manifest & { resolved?: string }>;
    };
    for (const file of manifests) {
      const manifest = JSON.parse(read(file)) as Manifest;
      const entry = lock.packages[file.replace(/\/?package\.json$/, '')];
      expect(entry?.dependencies ?? {}, file).toEqual(manifest.dependencies ?? {});
      expect(entry?.devDependencies ?? {}, file).toEqual(manifest.devDependencies ?? {});
    }
  });
});
