import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { expect, it } from 'vitest';
import { type Figure, figureHtml, figureSvg, panel } from '../../src/figures/figure.ts';

const drawn = (title: string) =>
  panel(title, {
    width: 300,
    height: 200,
    marks: [
      Plot.dot([[1, 2]], { fill: 'var(--mark)' }),
      Plot.text([[1, 2]], { text: () => '<script>x</script>' }),
    ],
  });
const figure: Figure = {
  id: 'example',
  title: 'A <b>title</b>',
  caption: `Epoch: last; 2,600 of 2,610 test utterances. ${'Many words follow here. '.repeat(12)}`,
  alt: 'What "it" shows',
  panels: [drawn('one & only'), drawn('two'), drawn('three')],
};

it('is a file that stands alone: title, description, caption, no variable, no script', () => {
  const svg = figureSvg(figure);
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="\d+" height="\d+"/);
  expect(svg).toContain('<title>A &lt;b&gt;title&lt;/b&gt;</title>');
  expect(svg).toContain('2,600 of 2,610');
  expect(svg).not.toMatch(/var\(--|<script|currentcolor\(/);
  expect(svg.match(/<svg /g)).toHaveLength(4);
  // panels lie inside the picture, two a row
  const { document } = parseHTML(svg);
  const root = document.querySelector('svg');
  const [width, height] = ['width', 'height'].map((name) => Number(root?.getAttribute(name)));
  const inner = [...document.querySelectorAll('svg > svg')].map((one) =>
    ['x', 'y'].map((name) => Number(one.getAttribute(name))),
  );
  expect(inner).toHaveLength(3);
  for (const [x, y] of inner as [number, number][]) {
    expect(x + 300).toBeLessThanOrEqual(width as number);
    expect(y + 200).toBeLessThanOrEqual(height as number);
  }
  expect(inner[0]?.[1]).toBe(inner[1]?.[1]);
  expect(inner[2]?.[1]).toBeGreaterThan(inner[0]?.[1] as number);
});

it('stands in the page with variables, a caption and a name', () => {
  const html = figureHtml(figure);
  expect(html).toContain('var(--mark)');
  expect(html).toContain('<figcaption>');
  expect(html).toContain('aria-label="A &lt;b&gt;title&lt;/b&gt;"');
  expect(html).toContain('<h4>one &amp; only</h4>');
  expect(html).not.toContain('<script');
  expect(html.match(/role="img"/g)).toHaveLength(3);
});
