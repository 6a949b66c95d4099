import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRuns } from '../../packages/report/test/support/made-runs.mjs';
import { WorkFolder } from '../end-to-end/command-line.ts';
import { Chromium, findChromium, type Tab } from './chromium.ts';
import { type Served, serve } from './served.ts';

const HOSTILE = `</script><script>window.broken=1</script><img src=x onerror="window.broken=1">`;
const program = findChromium();
if (program === undefined)
  console.log(
    'skipped: no Chromium (apt-get install chromium, or CHROMIUM_PATH=...); nothing is installed by itself',
  );
const shots = process.env['LSGMER_SHOTS'];

describe.skipIf(program === undefined)('the report in Chromium', () => {
  const work = new WorkFolder();
  const page = pathToFileURL(work.path('report', 'index.html')).href;
  const explorer = pathToFileURL(work.path('report', 'explorer.html')).href;
  let chromium: Chromium;

  beforeAll(async () => {
    makeRuns({
      runs: work.path('runs'),
      store: work.path('store'),
      audioRoot: work.path('corpus'),
      utterances: 240,
      variants: ['full', 'no-ma', 'no-joo', 'no-lsma-joo'],
      seeds: [1, 2, 3],
      tokens: 12,
      frames: 60,
      epochs: 10,
      textOf: (i) => (i === 7 ? HOSTILE : `Well, number ${i} said something of its own again`),
    });
    const made = await work.run('report', '--dataset', 'made', '--out', 'report');
    expect(made.err + made.out).toContain('240 utterances');
    expect(made.code).toBe(0);
    chromium = new Chromium(program as string);
  });
  afterAll(async () => {
    await chromium.close();
    work.remove();
  });

  /** For people: LSGMER_SHOTS=folder keeps a picture. */
  const keep = async (tab: Tab, name: string): Promise<void> => {
    if (shots !== undefined) writeFileSync(join(shots, `${name}.png`), await tab.screenshot());
  };
  const ready = (tab: Tab): Promise<void> =>
    tab.until(`document.querySelectorAll('[role=option]').length > 0`);

  for (const [name, options] of Object.entries({
    light: {},
    dark: { dark: true },
    narrow: { width: 380 },
  })) {
    it(`is quiet, loads nothing, and does not overflow: ${name}`, async () => {
      const tab = await chromium.tab(options);
      await tab.open(page);
      await keep(tab, `report-${name}`);
      expect(tab.complaints).toEqual([]);
      expect(tab.requests).toEqual([page]);
      expect(await tab.value('document.scripts.length')).toBe(0);
      expect(await tab.value('window.broken')).toBeUndefined();
      expect(
        await tab.value('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
      ).toBe(0);
      // no label of a figure lies outside of its drawing
      const outside = await tab.value<
        string[]
      >(`[...document.querySelectorAll('figure svg')].flatMap((svg) => {
        const box = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].filter((text) => {
          const mine = text.getBoundingClientRect();
          return mine.width > 0 && (mine.left < box.left - 1 || mine.right > box.right + 1 || mine.bottom > box.bottom + 1);
        }).map((text) => svg.getAttribute('aria-label') + ': ' + text.textContent);
      })`);
      expect(outside).toEqual([]);
    });
  }

  it('prints to whole pages in light colours', async () => {
    const tab = await chromium.tab({ dark: true });
    await tab.open(page);
    const pdf = await tab.pdf();
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    if (shots !== undefined) writeFileSync(join(shots, 'report.pdf'), pdf);
    await tab.send('Emulation.setEmulatedMedia', {
      media: 'print',
      features: [{ name: 'prefers-color-scheme', value: 'dark' }],
    });
    expect(await tab.value(`getComputedStyle(document.body).backgroundColor`)).toBe('rgb(255, 255, 255)');
    expect(await tab.value(`getComputedStyle(document.querySelector('nav')).display`)).toBe('none');
  });

  it('leads by keyboard from search to an utterance with its attention, from a file', async () => {
    const tab = await chromium.tab();
    await tab.open(explorer);
    await ready(tab);
    expect(await tab.value(`document.getElementById('count').textContent`)).toBe('240 of 240 utterances');
    await tab.press('Tab'); // the way back
    await tab.press('Tab');
    await tab.type('u00042');
    await tab.until(`document.getElementById('count').textContent.startsWith('1 of 240')`);
    for (let i = 0; i < 8; i++) await tab.press('Tab');
    expect(await tab.value(`document.activeElement.id`)).toBe('list');
    await tab.press('ArrowDown');
    await tab.until(`document.querySelectorAll('.token').length > 0`);
    expect(await tab.value(`document.querySelector('#detail h2').textContent`)).toMatch(/u00042$/);
    // four labels and the cross-modal row, twelve tokens each; then as many lanes
    expect(await tab.value(`document.querySelectorAll('.words-row').length`)).toBe(5);
    expect(await tab.value(`document.querySelectorAll('.token').length`)).toBe(60);
    expect(await tab.value(`document.querySelectorAll('.lane').length`)).toBe(5);
    expect(await tab.value(`document.querySelector('.words-row [role=group]').textContent`)).toContain(
      'number 42 said',
    );
    const text = await tab.value<string>(`document.getElementById('detail').textContent`);
    expect(text).toContain('not at what');
    expect(text).toContain('sound and waveform: make report ARGS=--serve');
    await tab.press('Enter');
    await tab.until(`document.activeElement.id === 'detail'`);
    await keep(tab, 'explorer-file');
    expect(tab.complaints).toEqual([]);
  });

  it('filters by truth, speaker and errors, turns pages, and follows an address', async () => {
    const tab = await chromium.tab();
    await tab.open(`${explorer}#${encodeURIComponent('made/Ses01/u00010')}`);
    await ready(tab);
    await tab.until(`document.querySelector('#detail h2')?.textContent === 'made/Ses01/u00010'`);
    await tab.value(`document.getElementById('list').focus()`);
    await tab.press('End');
    await tab.until(`document.getElementById('pager').textContent.includes('page 3 of 3')`);
    const choose = (name: string, value: string): Promise<unknown> =>
      tab.value(`(() => {
        const field = document.querySelector('[name=${name}]');
        field.value = ${JSON.stringify(value)};
        field.dispatchEvent(new Event('input', { bubbles: true }));
      })()`);
    const count = (): Promise<number> =>
      tab.value(`Number.parseInt(document.getElementById('count').textContent)`);
    await choose('label', '0');
    expect(await count()).toBe(60);
    await choose('speaker', 's1');
    const some = await count();
    expect(some).toBeGreaterThan(0);
    expect(some).toBeLessThan(60);
    await choose('error', 'always');
    expect(await count()).toBeLessThan(some);
    expect(tab.complaints).toEqual([]);
  });

  it('shows a hostile transcript as text', async () => {
    const tab = await chromium.tab();
    await tab.open(`${explorer}#${encodeURIComponent('made/Ses02/u00007')}`);
    await tab.until(`document.querySelectorAll('.token').length > 0`);
    expect(await tab.value(`document.querySelector('blockquote').textContent`)).toBe(HOSTILE);
    expect(await tab.value('window.broken')).toBeUndefined();
    expect(await tab.value(`document.querySelectorAll('img').length`)).toBe(0);
    expect(tab.complaints).toEqual([]);
  });

  it('says what is wrong where a data file is lost', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'lsgmer-copy-'));
    const tab = await chromium.tab();
    try {
      for (const file of ['explorer.html', 'explorer.js'])
        copyFileSync(work.path('report', file), join(copy, file));
      await tab.open(pathToFileURL(join(copy, 'explorer.html')).href);
      await tab.until(`document.querySelector('[role=alert]') !== null`);
      expect(await tab.value(`document.querySelector('[role=alert]').textContent`)).toContain(
        'data/index.js cannot be read',
      );
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  describe('served', () => {
    let served: Served;
    beforeAll(async () => {
      served = await serve(
        work,
        'report',
        '--dataset',
        'made',
        '--out',
        'report',
        '--root',
        work.path('corpus'),
        '--serve',
      );
    });
    afterAll(async () => {
      // Ctrl-C is how it ends
      expect(await served.stop()).toBe(0);
    });

    it('has waveform and sound', async () => {
      const tab = await chromium.tab();
      await tab.open(`${served.url}explorer.html#${encodeURIComponent('made/Ses01/u00010')}`);
      await tab.until(`document.querySelector('.lane.wave') !== null`);
      expect(await tab.value(`document.querySelectorAll('.lane').length`)).toBe(6);
      await tab.value(`document.querySelector('audio').load()`);
      await tab.until(`document.querySelector('audio').duration > 0`);
      expect(await tab.value(`document.querySelector('audio').duration`)).toBeCloseTo(60 / 50, 3);
      // frames reach to the end of the sound
      const ends = await tab.value<number[]>(
        `[...document.querySelectorAll('.lane:not(.wave) path')].map((path) => { const box = path.getBBox(); return box.x + box.width; })`,
      );
      for (const end of ends) expect(end).toBeCloseTo(1000, 0);
      // a click on a lane moves the sound there
      await tab.value(`(() => {
        const lane = document.querySelector('.lane');
        const box = lane.getBoundingClientRect();
        lane.dispatchEvent(new MouseEvent('click', { clientX: box.left + box.width / 2, bubbles: true }));
      })()`);
      await tab.until(`Math.abs(document.querySelector('audio').currentTime - 0.6) < 0.02`);
      await tab.until(`!document.querySelector('.lanes .head').hidden`);
      await keep(tab, 'explorer-served');
      expect(tab.complaints).toEqual([]);
      // the player draws its own buttons
      const others = tab.requests.filter(
        (url) => !url.startsWith(served.url) && !url.startsWith('data:image/'),
      );
      expect(others).toEqual([]);
    });

    it('hands out nothing beside the report', async () => {
      const status = await new Promise<number>((done) => {
        const { port } = new URL(served.url);
        request({ host: '127.0.0.1', port, path: '/../runs' }, (response) =>
          done(response.statusCode ?? 0),
        ).end();
      });
      expect(status).toBe(404);
    });
  });
});
