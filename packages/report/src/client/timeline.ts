import type { AttentionAbout, AttentionSteps } from '../explorer/format.ts';
import { fromBase64 } from './data.ts';
import { element, svgElement } from './dom.ts';
import { weight } from './pieces.ts';

const HEIGHT = 100;
/** Columns of a waveform. */
const COLUMNS = 800;

export interface Timeline {
  readonly node: HTMLElement;
  /** Moves the line that shows where the sound is, in seconds. */
  readonly at: (seconds: number) => void;
}

/**
 * Lanes over time: the waveform where there is sound, then one a label and the cross-modal one.
 * @param seconds length of the utterance where it is known
 * @param samples sound at 16 kHz, or undefined
 * @param seek called with the seconds that the reader points at
 */
export function timeline(
  steps: AttentionSteps,
  classes: readonly string[],
  times: AttentionAbout['frames'],
  seconds: number | null,
  samples: Int16Array | undefined,
  seek: (seconds: number) => void,
): Timeline {
  const known = samples === undefined ? seconds : samples.length / 16_000;
  const total = known ?? (times === null ? steps.n : times.first + times.step * steps.n);
  // without times the frames are spread evenly
  const { first, step } = times ?? { first: total / steps.n / 2, step: total / steps.n };
  const centre = (i: number): number => first + step * i;
  const half = step / 2;
  const x = (time: number): number => Math.min(1000, Math.max(0, (1000 * time) / total));
  const rows: HTMLElement[] = [];
  const drawings: SVGElement[] = [];
  const row = (name: string, note: string, path: string, kind: string): void => {
    const label = `${name}: ${note}`;
    const svg = svgElement(
      'svg',
      {
        class: `lane ${kind}`,
        viewBox: `0 0 1000 ${HEIGHT}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': label,
      },
      svgElement('path', { d: path }),
    );
    drawings.push(svg);
    rows.push(
      element(
        'div',
        { class: 'lane-row' },
        element('div', { class: 'name' }, name, element('small', {}, note)),
        svg,
      ),
    );
  };
  if (samples !== undefined) row('waveform', `${total.toFixed(2)} s`, waveform(samples), 'wave');
  const lane = (name: string, max: number, values: Uint8Array): void => {
    const top = values.indexOf(255);
    const where = top < 0 ? 'none' : times === null ? `frame ${top + 1}` : `${centre(top).toFixed(2)} s`;
    row(
      name,
      `tallest ${weight(max)}, at ${where}`,
      bars(values, (i) => [x(centre(i) - half), x(centre(i) + half)]),
      '',
    );
  };
  if (steps.label !== null) {
    const values = fromBase64(steps.label);
    classes.forEach((name, k) =>
      lane(`label ${name}`, steps.labelMax[k] ?? 0, values.subarray(k * steps.n, (k + 1) * steps.n)),
    );
  }
  if (steps.cross !== null) lane('cross-modal: from the tokens', steps.crossMax, fromBase64(steps.cross));
  const head = element('div', { class: 'head', hidden: '' });
  const node = element('div', { class: 'lanes' }, ...rows, head);
  for (const svg of drawings) {
    svg.addEventListener('click', (event) => {
      const box = svg.getBoundingClientRect();
      seek((total * (event.clientX - box.left)) / box.width);
    });
  }
  const at = (now: number): void => {
    const box = drawings[0]?.getBoundingClientRect();
    if (box === undefined) return;
    head.hidden = false;
    head.style.left = `${box.left - node.getBoundingClientRect().left + (box.width * now) / total}px`;
  };
  return { node, at };
}

/** Bars from the bottom, as one path. */
function bars(values: Uint8Array, span: (i: number) => readonly [number, number]): string {
  const parts: string[] = [];
  values.forEach((value, i) => {
    if (value === 0) return;
    const [from, to] = span(i);
    const top = HEIGHT - (HEIGHT * value) / 255;
    parts.push(`M${from.toFixed(1)} ${HEIGHT}V${top.toFixed(1)}H${to.toFixed(1)}V${HEIGHT}Z`);
  });
  return parts.join('');
}

/** Lowest and highest sample of each column, as one closed outline; full height is the loudest sample. */
function waveform(samples: Int16Array): string {
  const columns = Math.min(COLUMNS, samples.length);
  let loudest = 1;
  for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
  const parts: string[] = [];
  for (let c = 0; c < columns; c++) {
    let [low, high] = [0, 0];
    const end = Math.floor(((c + 1) * samples.length) / columns);
    for (let i = Math.floor((c * samples.length) / columns); i < end; i++) {
      low = Math.min(low, samples[i] as number);
      high = Math.max(high, samples[i] as number);
    }
    const y = (value: number): string => (HEIGHT / 2 - (value / loudest) * (HEIGHT / 2 - 1)).toFixed(1);
    const [from, to] = [(1000 * c) / columns, (1000 * (c + 1)) / columns];
    parts.push(`M${from.toFixed(1)} ${y(low)}V${y(high)}H${to.toFixed(1)}V${y(low)}Z`);
  }
  return parts.join('');
}

/** Samples of the WAV files that the report's server sends: mono, 16 bit, 16 kHz, a header of 44 bytes. */
export function wavSamples(bytes: ArrayBuffer): Int16Array {
  return new Int16Array(bytes, 44, Math.floor((bytes.byteLength - 44) / 2));
}
