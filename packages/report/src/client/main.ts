import type { ExplorerUtterance } from '../explorer/format.ts';
import { loadIndex, receiveChunk, serveInfo } from './data.ts';
import { UtteranceDetail } from './detail.ts';
import { byId, element } from './dom.ts';
import { type Query, select } from './filter.ts';
import { searchForm } from './form.ts';
import { UtteranceList } from './list.ts';

declare global {
  interface Window {
    lsgmerChunk: typeof receiveChunk;
  }
}
window.lsgmerChunk = receiveChunk;

async function start(): Promise<void> {
  const [index, served] = await Promise.all([loadIndex(), serveInfo()]);
  if (index.notices.length > 0)
    byId('notices').append(
      element('ul', { class: 'notice' }, ...index.notices.map((line) => element('li', {}, line))),
    );
  const detail = new UtteranceDetail(index, served);
  const open = (one: ExplorerUtterance, enter: boolean): void => {
    history.replaceState(null, '', `#${encodeURIComponent(one.id)}`);
    void detail.show(one).then(() => {
      if (enter) byId('detail').focus();
    });
  };
  const list = new UtteranceList(index.classes, open);
  let query: Query;
  const refresh = (): void => {
    const shown = select(index.utterances, query);
    byId('count').textContent = `${shown.length} of ${index.utterances.length} utterances`;
    list.show(shown, query.variant, asked());
  };
  query = searchForm(index, (next) => {
    query = next;
    refresh();
  });
  refresh();
  const showAsked = (): void => {
    const one = index.utterances.find(({ id }) => id === asked());
    if (one !== undefined) void detail.show(one);
  };
  if (asked() === undefined) byId('detail').append(element('p', { class: 'soft' }, 'Choose an utterance.'));
  else showAsked();
  window.addEventListener('hashchange', () => {
    refresh();
    showAsked();
  });
}

/** The id that the address names. */
function asked(): string | undefined {
  if (location.hash.length < 2) return undefined;
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return undefined;
  }
}

start().catch((error: unknown) => {
  byId('detail').append(element('p', { class: 'notice', role: 'alert' }, (error as Error).message));
});
