import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, packageOf, repositoryFiles } from './source-tree.ts';

// cli -> extract, report -> train -> datasets, onnx; extract knows neither train nor report; nor datasets onnx, or the reverse
const MAY_IMPORT: Record<string, string[]> = {
  onnx: [],
  datasets: [],
  extract: ['datasets', 'onnx'],
  train: ['datasets', 'onnx'],
  report: ['datasets', 'train'],
  cli: ['datasets', 'onnx', 'extract', 'train', 'report'],
};

/** What a package offers beside its whole, in its package.json. */
const ENTRIES = ['@lsgmer/onnx/runtime'];

const sources = repositoryFiles().filter((f) => /^packages\/[a-z]+\/src\/.*\.ts$/.test(f));

describe('imports', () => {
  it('finds the sources', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(new Set(sources.map(packageOf))).toEqual(new Set(Object.keys(MAY_IMPORT)));
  });

  it('go one way between packages, by package name', () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const own = packageOf(file) as string;
      for (const target of importsOf(file)) {
        const other = /^@lsgmer\/([a-z]+)/.exec(target)?.[1];
        if (other !== undefined && !MAY_IMPORT[own]?.includes(other)) wrong.push(`${file} imports ${target}`);
        if (/^@lsgmer\/[a-z]+\//.test(target) && !ENTRIES.includes(target))
          wrong.push(`${file} reaches into ${target}`);
        if (target.startsWith('.') && packageOf(posix.join(posix.dirname(file), target)) !== own)
          wrong.push(`${file} leaves its package by ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('make no cycle', () => {
    const graph = new Map(
      sources.map((file) => [
        file,
        importsOf(file)
          .filter((t) => t.startsWith('.'))
          .map((t) => posix.join(posix.dirname(file), t)),
      ]),
    );
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, trail: string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
      state.set(file, 'done');
    };
    for (const file of sources) visit(file, []);
    expect(cycles).toEqual([]);
  });
});

describe('library packages', () => {
  it('never print, read argv, exit, or draw on unseeded chance and the wall clock', async () => {
    const { read } = await import('./source-tree.ts');
    const forbidden = /\bconsole\.|process\.argv|process\.exit\(|Math\.random|Date\.now\(/;
    const wrong = sources
      // entries of processes of their own end themselves; probe.ts holds the text of one
      .filter(
        (f) => packageOf(f) !== 'cli' && !f.endsWith('-process.ts') && f !== 'packages/onnx/src/probe.ts',
      )
      .flatMap((f) =>
        read(f)
          .split('\n')
          .map((line, i) => ({ line, at: `${f}:${i + 1}` }))
          .filter(({ line }) => forbidden.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
          .map(({ line, at }) => `${at}: ${line.trim()}`),
      );
    expect(wrong).toEqual([]);
  });
});
