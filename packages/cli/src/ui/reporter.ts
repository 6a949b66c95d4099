import type { Progress, Reporter } from '@lsgmer/datasets';

/** Where lines go: stderr, so that stdout carries results alone. */
export interface Screen {
  readonly isTerminal: boolean;
  readonly columns: number;
  write(text: string): void;
  /** Milliseconds that never run backwards. */
  now(): number;
}

/** Without a terminal one line per task at most this often. */
const PLAIN_EVERY_MS = 5000;
const DRAW_EVERY_MS = 100;

interface Running {
  readonly started: number;
  readonly first: number;
  readonly firstWork: number;
  drawn: number;
}

/**
 * Draws progress as one bar in a terminal, as plain lines elsewhere (log files, CI): done of total, rate,
 * time left. Rate and time left count from the first report of a task, so that resumed work does not flatter.
 */
export class ScreenReporter implements Reporter {
  private readonly screen: Screen;
  private readonly quiet: boolean;
  private readonly running = new Map<string, Running>();
  private barShown = false;

  constructor(screen: Screen, quiet = false) {
    this.screen = screen;
    this.quiet = quiet;
  }

  info(message: string): void {
    if (!this.quiet) this.line(message);
  }

  warn(message: string): void {
    this.line(`warning: ${message}`);
  }

  progress(step: Progress): void {
    if (this.quiet) return;
    const now = this.screen.now();
    const running = this.running.get(step.task) ?? {
      started: now,
      first: step.done,
      firstWork: step.work?.done ?? 0,
      drawn: Number.NEGATIVE_INFINITY,
    };
    this.running.set(step.task, running);
    const finished = step.done >= step.total;
    const every = this.screen.isTerminal ? DRAW_EVERY_MS : PLAIN_EVERY_MS;
    if (!finished && now - running.drawn < every) return;
    running.drawn = now;
    const since = { done: step.done - running.first, work: (step.work?.done ?? 0) - running.firstWork };
    const text = progressText(step, now - running.started, since.done, since.work);
    if (this.screen.isTerminal) {
      this.screen.write(`\r\u001B[2K${bar(step, text, this.screen.columns)}`);
      this.barShown = true;
      if (finished) this.endBar();
    } else {
      this.screen.write(`${step.task}: ${text}\n`);
    }
    if (finished) this.running.delete(step.task);
  }

  /** Leaves an unfinished bar on a line of its own. */
  endBar(): void {
    if (this.barShown) this.screen.write('\n');
    this.barShown = false;
  }

  private line(text: string): void {
    if (this.barShown) this.screen.write('\r\u001B[2K');
    this.barShown = false;
    this.screen.write(`${text}\n`);
  }
}

/** `120/800 utterances  34.1/s  7.9 audio s/s  20 s left  note` */
export function progressText(
  step: Progress,
  elapsedMs: number,
  doneSinceStart: number,
  workSinceStart = 0,
): string {
  const parts = [`${step.done}/${step.total} ${step.unit}`];
  const perSecond = (count: number): number => (elapsedMs > 0 ? (count / elapsedMs) * 1000 : 0);
  const rate = perSecond(doneSinceStart);
  const workRate = perSecond(workSinceStart);
  if (rate > 0) {
    parts.push(`${rounded(rate)}/s`);
    if (step.work !== undefined && workRate > 0) parts.push(`${rounded(workRate)} ${step.work.unit}/s`);
    const left =
      step.work !== undefined && workRate > 0
        ? (step.work.total - step.work.done) / workRate
        : (step.total - step.done) / rate;
    parts.push(
      step.done >= step.total ? `in ${duration(elapsedMs / 1000)}` : `${duration(Math.max(0, left))} left`,
    );
  }
  if (step.note !== undefined && step.note !== '') parts.push(step.note);
  return parts.join('  ');
}

const rounded = (rate: number): string => (rate >= 10 ? rate.toFixed(0) : rate.toFixed(1));

/** Seconds as people read them: `8 s`, `3 min 20 s`, `2 h 05 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
}

function bar(step: Progress, text: string, columns: number): string {
  const width = 24;
  const filled = step.total > 0 ? Math.min(width, Math.floor((step.done / step.total) * width)) : width;
  return `${step.task} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${text}`.slice(
    0,
    Math.max(20, columns - 1),
  );
}
