import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Chromium's program: CHROMIUM_PATH, or one of the usual names on the PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const given = process.env['CHROMIUM_PATH'];
  const names = given === undefined || given === '' ? NAMES : [given];
  return names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/**
 * A headless Chromium that is spoken to over a pipe (Chrome DevTools Protocol): no port is opened, nothing else
 * is installed.
 */
export class Chromium {
  private readonly process: ChildProcess;
  private readonly profile = mkdtempSync(join(tmpdir(), 'lsgmer-chromium-'));
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private readonly listeners: ((answer: Answer) => void)[] = [];
  private next = 1;

  constructor(program: string) {
    const flags = [
      '--headless=new',
      '--remote-debugging-pipe',
      '--disable-gpu',
      '--no-first-run',
      '--mute-audio',
      '--hide-scrollbars',
    ];
    // containers and root have no user namespaces for the sandbox; the pages are our own
    const child = spawn(
      program,
      [...flags, '--no-sandbox', `--user-data-dir=${this.profile}`, 'about:blank'],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      },
    );
    this.process = child;
    let rest = '';
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() as string;
      for (const message of messages) this.receive(JSON.parse(message) as Answer);
    });
  }

  private receive(answer: Answer): void {
    if (answer.id === undefined) for (const listen of this.listeners) listen(answer);
    else {
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    }
  }

  async send(
    method: string,
    params: Record<string, unknown> = {},
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    const id = this.next++;
    const answer = new Promise<Answer>((done) => this.waiting.set(id, done));
    const message = { id, method, params, ...(sessionId === undefined ? {} : { sessionId }) };
    (this.process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** A new tab that collects what its console and network complain of. */
  async tab(
    options: { readonly width?: number; readonly height?: number; readonly dark?: boolean } = {},
  ): Promise<Tab> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const tab = new Tab(this, sessionId as string);
    this.listeners.push((answer) => {
      if (answer.sessionId === sessionId) tab.hear(answer.method ?? '', answer.params ?? {});
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await tab.send(`${domain}.enable`);
    const { width = 1280, height = 900, dark = false } = options;
    await tab.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await tab.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
    });
    return tab;
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.process.once('exit', done));
    await this.send('Browser.close').catch(() => this.process.kill());
    await ended;
    rmSync(this.profile, { recursive: true, force: true });
  }
}

/** Virtual key codes of the keys that tests press. */
const KEYS: { readonly [key: string]: number } = {
  Tab: 9,
  Enter: 13,
  PageUp: 33,
  PageDown: 34,
  End: 35,
  Home: 36,
  ArrowUp: 38,
  ArrowDown: 40,
};

export class Tab {
  /** Errors of scripts and the console, requests that failed, policies that were broken. */
  readonly complaints: string[] = [];
  /** Addresses that were asked for. */
  readonly requests: string[] = [];
  private readonly browser: Chromium;
  private readonly session: string;
  private loaded: (() => void) | undefined;

  constructor(browser: Chromium, session: string) {
    this.browser = browser;
    this.session = session;
  }

  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return this.browser.send(method, params, this.session);
  }

  hear(method: string, params: Record<string, unknown>): void {
    if (method === 'Page.loadEventFired') this.loaded?.();
    if (method === 'Runtime.exceptionThrown' || method === 'Network.loadingFailed')
      this.complaints.push(JSON.stringify(params));
    if (method === 'Log.entryAdded') {
      const entry = params['entry'] as { readonly level: string; readonly text: string };
      if (entry.level === 'error' || entry.level === 'warning') this.complaints.push(entry.text);
    }
    if (method === 'Runtime.consoleAPICalled' && params['type'] !== 'log')
      this.complaints.push(JSON.stringify(params));
    if (method === 'Network.requestWillBeSent')
      this.requests.push((params['request'] as { readonly url: string }).url);
  }

  async open(url: string): Promise<void> {
    const loaded = new Promise<void>((done) => (this.loaded = done));
    await this.send('Page.navigate', { url });
    await loaded;
  }

  /** Value of an expression in the page; promises are awaited. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { readonly value: T }).value;
  }

  /** Waits until an expression is true. @throws after ten seconds */
  async until(expression: string): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if (await this.value<boolean>(`Boolean(${expression})`)) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`never true: ${expression}`);
  }

  async press(key: string): Promise<void> {
    const common = { key, code: key, windowsVirtualKeyCode: KEYS[key] ?? 0 };
    await this.send('Input.dispatchKeyEvent', {
      type: 'keyDown',
      ...common,
      ...(key === 'Enter' ? { text: '\r' } : {}),
    });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common });
  }

  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text });
  }

  /** The whole page as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', {
      captureBeyondViewport: true,
      format: 'png',
    });
    return Buffer.from(data as string, 'base64');
  }

  async pdf(): Promise<Buffer> {
    const { data } = await this.send('Page.printToPDF', { preferCSSPageSize: true, printBackground: false });
    return Buffer.from(data as string, 'base64');
  }
}
