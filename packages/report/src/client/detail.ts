import type { ExplorerIndex, ExplorerUtterance, ServeInfo, UtteranceAttention } from '../explorer/format.ts';
import { audioUrl, loadAttention } from './data.ts';
import { byId, element } from './dom.ts';
import { timeline, wavSamples } from './timeline.ts';
import { wordRows } from './words.ts';

/** Shows one utterance; a later one that is asked for meanwhile wins. */
export class UtteranceDetail {
  private readonly node = byId('detail');
  private readonly index: ExplorerIndex;
  private readonly served: ServeInfo;
  private latest = '';

  constructor(index: ExplorerIndex, served: ServeInfo) {
    this.index = index;
    this.served = served;
  }

  async show(one: ExplorerUtterance): Promise<void> {
    this.latest = one.id;
    const place = element(
      'div',
      {},
      element('p', { class: 'soft' }, one.chunk === null ? '' : 'loading attention ...'),
    );
    this.node.replaceChildren(...this.heading(one), place);
    try {
      const attention = one.chunk === null ? undefined : (await loadAttention(one.chunk))[one.id];
      const samples = this.served.audio ? await this.sound(one.id) : undefined;
      if (this.latest !== one.id) return;
      place.replaceChildren(...this.body(one, attention, samples));
    } catch (error) {
      if (this.latest === one.id)
        place.replaceChildren(element('p', { class: 'notice', role: 'alert' }, (error as Error).message));
    }
  }

  private heading(one: ExplorerUtterance): HTMLElement[] {
    const { classes, variants, rule } = this.index;
    const name = (k: number | null): string =>
      k === null ? '–' : k < 0 ? 'no prediction' : (classes[k] ?? '?');
    const facts = [
      `truth: ${name(one.label)}`,
      `fold ${one.fold}`,
      ...(one.speaker === null ? [] : [`speaker ${one.speaker}`]),
      ...(one.seconds === null ? [] : [`${one.seconds.toFixed(2)} s`]),
    ];
    const rows = variants.map(({ label, seeds }, v) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row', class: 'text' }, label),
        element(
          'td',
          { class: 'text' },
          ...seeds.flatMap((seed, s) => {
            const said = one.said[v]?.[s] ?? null;
            const verdict = said === null ? 'soft' : said === one.label ? 'right' : 'wrong';
            const mark = said === null ? '' : said === one.label ? ' ✓' : ' ✗';
            return [
              element('span', { class: verdict, title: `seed ${seed}` }, `${name(said)}${mark}`),
              s + 1 < seeds.length ? ', ' : '',
            ];
          }),
        ),
        element('td', {}, one.truth[v]?.toFixed(2) ?? '–'),
      ),
    );
    const head = element(
      'tr',
      {},
      ...['variant', `said, seed by seed (epoch: ${rule})`, 'p(truth)'].map((text, i) =>
        element('th', { scope: 'col', ...(i < 2 ? { class: 'text' } : {}) }, text),
      ),
    );
    return [
      element('h2', {}, one.id),
      element('p', {}, facts.join(', ')),
      element('blockquote', {}, one.text ?? '(the text is not here: the manifest was not in the store)'),
      element(
        'div',
        { class: 'scroll' },
        element(
          'table',
          {},
          element('caption', {}, 'Predictions'),
          element('thead', {}, head),
          element('tbody', {}, ...rows),
        ),
      ),
    ];
  }

  private body(
    one: ExplorerUtterance,
    attention: UtteranceAttention | undefined,
    samples: Int16Array | undefined,
  ): HTMLElement[] {
    const about = this.index.attention;
    if (about === null || attention === undefined)
      return [
        ...this.player(one, () => {}),
        element('p', { class: 'soft' }, 'No run left attention of this utterance (analysis.arrow).'),
      ];
    const { classes } = this.index;
    const source = `${about.variant}, training seed ${about.seed}, epoch: ${about.rule}`;
    const parts: HTMLElement[] = [];
    if (attention.gate !== null)
      parts.push(
        element(
          'p',
          {},
          `Gate: ${attention.gate[0].toFixed(2)} on the audio vector, ${attention.gate[1].toFixed(2)} on the text vector (factors, not importance).`,
        ),
      );
    if (attention.tokens !== null) {
      parts.push(
        element('h3', {}, 'Attention over the tokens'),
        element(
          'p',
          { class: 'soft' },
          `${source}. ${labelWords(about.labelsAsk, 'token')} ${about.residual ? '' : "Without a residual a token's row holds what it gathered from the audio: the bars say where a label looks, not at what."}`,
        ),
        ...wordRows(one.text, attention.spans, attention.tokens, classes),
      );
    }
    if (attention.frames !== null) {
      const view = timeline(attention.frames, classes, about.frames, one.seconds, samples, (to) => {
        const player = this.node.querySelector('audio');
        if (player !== null) player.currentTime = to;
      });
      parts.push(
        element('h3', {}, 'Attention over time'),
        element(
          'p',
          { class: 'soft' },
          `${source}. ${labelWords(about.labelsAsk, 'frame')} ${about.residual ? '' : "Without a residual a frame's row holds what it gathered from the words."}`,
        ),
        ...this.player(one, view.at),
        view.node,
      );
    }
    return parts;
  }

  private player(one: ExplorerUtterance, moved: (seconds: number) => void): HTMLElement[] {
    if (!this.served.audio) return [element('p', { class: 'soft' }, this.served.reason ?? '')];
    const player = element('audio', {
      controls: '',
      preload: 'none',
      src: audioUrl(one.id),
      'aria-label': `sound of ${one.id}`,
    });
    const follow = (): void => {
      moved(player.currentTime);
      if (!player.paused) requestAnimationFrame(follow);
    };
    player.addEventListener('play', follow);
    player.addEventListener('seeked', follow);
    return [player];
  }

  private async sound(id: string): Promise<Int16Array | undefined> {
    const answer = await fetch(audioUrl(id));
    return answer.ok ? wavSamples(await answer.arrayBuffer()) : undefined;
  }
}

function labelWords(labelsAsk: boolean, step: string): string {
  return labelsAsk
    ? `Label attention: how one label's query spreads over the ${step}s, mean over heads; bars are relative to the tallest of their row. Cross-modal: what each ${step} receives from the other modality on average.`
    : `Label attention: how much each ${step} takes from a label, mean over heads; bars are relative to the tallest of their row. Cross-modal: what each ${step} receives from the other modality on average.`;
}
