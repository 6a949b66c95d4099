import type { ExplorerUtterance } from '../explorer/format.ts';
import { byId, element } from './dom.ts';
import { wrongSeeds } from './filter.ts';

const PAGE = 100;

/** The list: a hundred utterances a page, moved through by keys or pointer. */
export class UtteranceList {
  private readonly list = byId('list');
  private readonly classes: readonly string[];
  private readonly opened: (one: ExplorerUtterance, enter: boolean) => void;
  private shown: readonly ExplorerUtterance[] = [];
  private variant = 0;
  private page = 0;
  private at = -1;

  /** @param opened called with the utterance that was moved to; `enter` when the reader goes to it */
  constructor(classes: readonly string[], opened: (one: ExplorerUtterance, enter: boolean) => void) {
    this.classes = classes;
    this.opened = opened;
    this.list.addEventListener('keydown', (event) => this.key(event));
    this.list.addEventListener('click', (event) => {
      const option = (event.target as Element).closest('[role=option]');
      if (option !== null) this.move(Number(option.getAttribute('data-at')), true);
    });
  }

  /** Shows other utterances; the one with this id stays chosen where it is among them. */
  show(shown: readonly ExplorerUtterance[], variant: number, id: string | undefined): void {
    this.shown = shown;
    this.variant = variant;
    this.at = shown.findIndex((one) => one.id === id);
    this.page = this.at < 0 ? 0 : Math.floor(this.at / PAGE);
    this.draw();
  }

  private key(event: KeyboardEvent): void {
    const last = this.shown.length - 1;
    const steps: { readonly [key: string]: number } = {
      ArrowDown: this.at + 1,
      ArrowUp: this.at - 1,
      PageDown: this.at + 10,
      PageUp: this.at - 10,
      Home: 0,
      End: last,
    };
    const to = steps[event.key];
    if (event.key === 'Enter' && this.at >= 0) this.move(this.at, true);
    else if (to === undefined || last < 0) return;
    else this.move(Math.min(last, Math.max(0, to)), false);
    event.preventDefault();
  }

  private move(to: number, enter: boolean): void {
    const one = this.shown[to];
    if (one === undefined) return;
    this.at = to;
    const page = Math.floor(to / PAGE);
    if (page === this.page) this.mark();
    else {
      this.page = page;
      this.draw();
    }
    this.opened(one, enter);
  }

  private draw(): void {
    const first = this.page * PAGE;
    const some = this.shown.slice(first, first + PAGE);
    this.list.replaceChildren(...some.map((one, i) => this.option(one, first + i)));
    this.mark();
    this.drawPager();
  }

  private option(one: ExplorerUtterance, at: number): HTMLElement {
    const { wrong, seeds } = wrongSeeds(one, this.variant);
    const verdict =
      seeds === 0
        ? 'not scored'
        : wrong === 0
          ? 'right'
          : seeds === 1
            ? 'wrong'
            : `wrong ${wrong} of ${seeds}`;
    return element(
      'li',
      { role: 'option', id: `option-${at}`, 'data-at': String(at), 'aria-selected': 'false' },
      element('div', { class: 'id' }, one.id),
      element(
        'div',
        {},
        `${this.classes[one.label] ?? '?'}, `,
        element('span', { class: wrong > 0 ? 'wrong' : 'right' }, verdict),
      ),
      element('div', { class: 'words' }, shorten(one.text ?? '')),
    );
  }

  private mark(): void {
    for (const option of this.list.querySelectorAll('[role=option]'))
      option.setAttribute('aria-selected', String(option.getAttribute('data-at') === String(this.at)));
    const chosen = document.getElementById(`option-${this.at}`);
    if (chosen === null) this.list.removeAttribute('aria-activedescendant');
    else {
      this.list.setAttribute('aria-activedescendant', chosen.id);
      chosen.scrollIntoView({ block: 'nearest' });
    }
  }

  private drawPager(): void {
    const pages = Math.ceil(this.shown.length / PAGE);
    const turn = (name: string, to: number): HTMLElement => {
      const button = element('button', { type: 'button' }, name);
      button.disabled = to < 0 || to >= pages;
      button.addEventListener('click', () => {
        this.page = to;
        this.draw();
      });
      return button;
    };
    byId('pager').replaceChildren(
      ...(pages < 2
        ? []
        : [
            turn('Previous', this.page - 1),
            `page ${this.page + 1} of ${pages}`,
            turn('Next', this.page + 1),
          ]),
    );
  }
}

const shorten = (text: string): string => (text.length > 90 ? `${text.slice(0, 89)}…` : text);
