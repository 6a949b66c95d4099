import type { AttentionChunk, ExplorerIndex, ServeInfo } from '../explorer/format.ts';

const waiting = new Map<string, (data: unknown) => void>();
const loaded = new Map<string, Promise<unknown>>();

/** Data files call this when they are loaded. */
export function receiveChunk(name: string, data: unknown): void {
  waiting.get(name)?.(data);
  waiting.delete(name);
}

/** Loads data/<name>.js once: as a script, which a page that was opened as a file may load. */
function load(name: string): Promise<unknown> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const made = new Promise<unknown>((done, failed) => {
    waiting.set(name, done);
    const script = document.createElement('script');
    script.src = `data/${name}.js`;
    script.addEventListener('error', () => {
      loaded.delete(name);
      failed(new Error(`data/${name}.js cannot be read: keep the folder together, or make the report again`));
    });
    document.head.append(script);
  });
  loaded.set(name, made);
  return made;
}

export const loadIndex = (): Promise<ExplorerIndex> => load('index') as Promise<ExplorerIndex>;

export const loadAttention = (chunk: number): Promise<AttentionChunk> =>
  load(`attention-${chunk}`) as Promise<AttentionChunk>;

/** Whether there is sound: never for a page that was opened as a file. */
export async function serveInfo(): Promise<ServeInfo> {
  if (!location.protocol.startsWith('http'))
    return { audio: false, reason: 'sound and waveform: make report ARGS=--serve' };
  try {
    const answer = await fetch('serve.json');
    if (answer.ok) return (await answer.json()) as ServeInfo;
  } catch {
    // another server: no sound
  }
  return { audio: false, reason: 'sound and waveform: lsgmer report --serve' };
}

/** Where an utterance's sound is, when the report is served. */
export const audioUrl = (id: string): string => `audio/${id.split('/').map(encodeURIComponent).join('/')}`;

/** The bytes of base64. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
