import { describe, expect, it } from 'vitest';
import { statsPage } from '../../src/ui/stats-page.ts';
import { costs, figures } from './stats-figures.ts';

const page = statsPage('mine', 'My <corpus>', figures, costs);

describe('statsPage', () => {
  it('needs nothing beside itself: no script, no link, no address', () => {
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|src=/i);
    // names of XML vocabularies are no addresses
    expect(page.match(/https?:\/\/[^"' ]+/g) ?? []).toEqual([]);
  });

  it('draws a figure for each field and each number, with bars in proportion', () => {
    expect(page.match(/<svg /g)).toHaveLength(3);
    const classes = page.slice(page.indexOf('<h2>Class</h2>'), page.indexOf('<h2>Speaker</h2>'));
    const widths = [...classes.matchAll(/<rect [^>]*?width="([\d.]+)"/g)].map((one) => Number(one[1]));
    expect(widths).toHaveLength(3);
    expect((widths[0] as number) / (widths[1] as number)).toBeCloseTo(3, 6);
    expect(classes).toContain('60');
  });

  it('follows light and dark', () => {
    expect(page).toMatch(/prefers-color-scheme: dark/);
    expect(page).toMatch(/fill="var\(--mark\)"/);
    expect(page).toMatch(/fill="currentColor"/);
  });

  it('escapes what comes from the corpus', () => {
    expect(page).toContain('<h1>My &lt;corpus&gt;</h1>');
    expect(page).toContain('neu&lt;tral&gt;');
    expect(page).not.toContain('neu<tral');
  });

  it('gives the same bytes again, and the figures as tables where they are few', () => {
    expect(statsPage('mine', 'My <corpus>', figures, costs)).toBe(page);
    expect(page).toContain('<td>Ses01</td><td>40</td><td>5</td><td>45</td>');
    expect(page).toContain('<td>about 58 s</td>');
  });
});
