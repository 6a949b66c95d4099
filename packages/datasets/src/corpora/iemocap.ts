import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { readTextFile } from '../base/text-file.ts';
import { normaliseText } from '../manifest/normalise.ts';
import type { Utterance } from '../manifest/utterance.ts';
import {
  listFolder,
  RowCollector,
  rootFolder,
  type Prepared,
  type PrepareOptions,
  type Source,
} from './adapter.ts';
import {
  parseEvaluation,
  parseTranscript,
  type EvaluationTurn,
  type TranscriptLine,
} from './iemocap-files.ts';

/**
 * IEMOCAP: interactive emotional dyadic motion capture database (Busso et al., Language Resources and Evaluation
 * 42, 2008), the full release, below whose root lie `Session1`..`Session5`:
 *
 *     SessionN/sentences/wav/<dialog>/<dialog>_<F|M>NNN.wav
 *     SessionN/dialog/EmoEvaluation/<dialog>.txt
 *     SessionN/dialog/transcriptions/<dialog>.txt
 *
 * An utterance is what has an evaluation line or a recording of its own. Its speaker is the session's digit and the
 * letter of the LAST field of its name (`Ses05F_script03_1_M033` is spoken by 5M): the letter of the dialogue's name
 * tells who wore the motion-capture markers. `turn` is the place in the dialogue by start time, from 0.
 * The consensus of the annotators is kept as annotator `consensus`.
 */
export function prepareIemocap(root: string, options: PrepareOptions): Prepared {
  const base = rootFolder(root, options.dataset);
  const sessions = (listFolder(base) ?? []).filter((entry) => SESSION.test(entry.name));
  if (sessions.length === 0) throw wrongLayout(root, base);
  const rows = new RowCollector();
  let evaluations = 0;
  for (const session of sessions) evaluations += readSession(base, session.name, options.dataset, rows);
  if (evaluations === 0) {
    throw new UserError(
      `no file in ${root}/${sessions[0]?.name}/dialog/EmoEvaluation: ROOT is not the full release of IEMOCAP`,
    );
  }
  return rows;
}

const SESSION = /^Session(\d)$/;
/** Dialogue `Ses01F_impro01` or `Ses01M_script01_1b`, then the speaker's letter and a number. */
const UTTERANCE = /^(Ses(0\d)[FM]_[A-Za-z0-9_]+)_([FM])[A-Za-z0-9]+$/;

function wrongLayout(root: string, base: string): UserError {
  const entries = (listFolder(base) ?? []).map((entry) => entry.name);
  const inner = entries.find((name) =>
    (listFolder(join(base, name)) ?? []).some((entry) => SESSION.test(entry.name)),
  );
  const hint =
    inner === undefined
      ? `found ${entries.length === 0 ? 'an empty folder' : entries.slice(0, 5).join(', ')}`
      : `they are in ${inner}: give ROOT=${join(root, inner)}`;
  return new UserError(`no Session1..Session5 in ${root}, expected the full release of IEMOCAP: ${hint}`);
}

/** @returns the number of evaluation files. */
function readSession(base: string, folder: string, dataset: string, rows: RowCollector): number {
  const evaluations = textFiles(base, `${folder}/dialog/EmoEvaluation`, rows);
  const transcripts = textFiles(base, `${folder}/dialog/transcriptions`, rows);
  const wavs = listFolder(join(base, folder, 'sentences/wav'))?.filter((entry) => entry.isDirectory()) ?? [];
  const dialogues = new Set([...evaluations.keys(), ...wavs.map((entry) => entry.name)]);
  for (const dialogue of [...dialogues].sort()) {
    const context = { base, folder, dataset, dialogue, rows };
    readDialogue(context, evaluations.get(dialogue) ?? null, transcripts.get(dialogue) ?? null);
  }
  for (const [dialogue, file] of transcripts) {
    if (!dialogues.has(dialogue)) {
      rows.report(
        'layout',
        'warning',
        { file, line: null },
        `evaluations or recordings of ${dialogue}`,
        'neither',
      );
    }
  }
  return evaluations.size;
}

/** Text files of a folder by dialogue; a folder that is not there is reported. */
function textFiles(base: string, folder: string, rows: RowCollector): Map<string, string> {
  const entries = listFolder(join(base, folder));
  if (entries === null) rows.report('layout', 'error', { file: folder, line: null }, 'a folder', 'none');
  const files = (entries ?? []).filter((entry) => entry.isFile() && entry.name.endsWith('.txt'));
  return new Map(files.map((entry) => [entry.name.slice(0, -4), `${folder}/${entry.name}`]));
}

interface DialogueContext {
  readonly base: string;
  readonly folder: string;
  readonly dataset: string;
  readonly dialogue: string;
  readonly rows: RowCollector;
}

interface Turn {
  readonly name: string;
  readonly source: Source;
  readonly evaluation: EvaluationTurn | null;
  readonly line: TranscriptLine | null;
}

function readDialogue(
  context: DialogueContext,
  evaluationFile: string | null,
  transcriptFile: string | null,
): void {
  const { base, folder, dialogue, rows } = context;
  const turns = evaluationFile === null ? [] : readEvaluation(base, evaluationFile, rows);
  const lines =
    transcriptFile === null ? new Map<string, TranscriptLine>() : readTranscript(base, transcriptFile, rows);
  if (transcriptFile === null) {
    const file = `${folder}/dialog/transcriptions/${dialogue}.txt`;
    rows.report('layout', 'error', { file, line: null }, `the transcript of ${dialogue}`, 'none');
  }
  const recorded = `${folder}/sentences/wav/${dialogue}`;
  const found: Turn[] = [];
  const known = new Map<string, Source>();
  for (const turn of turns) {
    const { name, line, start, end } = turn;
    const source = { file: evaluationFile as string, line, start, end };
    const first = known.get(name);
    if (first === undefined) {
      known.set(name, source);
      found.push({ name, source, evaluation: turn, line: lines.get(name) ?? null });
    } else {
      rows.reportTwice(`${context.dataset}/${name}`, source, first);
    }
  }
  for (const entry of listFolder(join(base, recorded)) ?? []) {
    const name = entry.name.endsWith('.wav') ? entry.name.slice(0, -4) : null;
    if (name === null || known.has(name)) continue;
    const source = { file: `${recorded}/${entry.name}`, line: null };
    // breaths and the like (`MXX0`) are recorded without ever being evaluated
    if (evaluationFile !== null && /_[FM]\d{3}$/.test(name))
      rows.report('line', 'warning', source, `a line for it in ${evaluationFile}`, 'none, so no label');
    found.push({ name, source, evaluation: null, line: lines.get(name) ?? null });
  }
  found.sort((a, b) => startOf(a) - startOf(b) || (a.name < b.name ? -1 : 1));
  found.forEach((turn, place) => addTurn(context, turn, place));
}

function startOf(turn: Turn): number {
  return turn.evaluation?.start ?? turn.line?.start ?? Infinity;
}

function readEvaluation(base: string, file: string, rows: RowCollector): EvaluationTurn[] {
  const { text, badLines } = readTextFile(join(base, file));
  reportEncoding(file, badLines, rows);
  const { turns, oddLines } = parseEvaluation(text);
  const form = "'[start - end]', name, label and '[v, a, d]' separated by tabs";
  for (const { line, content } of oddLines)
    rows.report('line', 'error', { file, line }, form, `'${content}'`);
  for (const { line, name, start, end } of turns) {
    if (end > start) continue;
    rows.report(
      'times',
      'warning',
      { file, line },
      'an end after the start',
      `${name} from ${start} to ${end} s`,
    );
  }
  return turns;
}

/** Transcript lines of another form are known: asides such as `M: [LAUGHTER]`, which belong to no utterance. */
function readTranscript(base: string, file: string, rows: RowCollector): Map<string, TranscriptLine> {
  const { text, badLines } = readTextFile(join(base, file));
  reportEncoding(file, badLines, rows);
  const { lines, oddLines } = parseTranscript(text);
  for (const { line, content } of oddLines) {
    rows.report('line', 'known', { file, line }, "'name [start-end]: text'", `'${content}'`);
  }
  const byName = new Map<string, TranscriptLine>();
  for (const line of lines) {
    const first = byName.get(line.name);
    if (first === undefined) byName.set(line.name, line);
    else if (first.text !== line.text) {
      const found = `another (line ${first.line} is used)`;
      rows.report('line', 'warning', { file, line: line.line }, `one text of ${line.name}`, found);
    }
  }
  return byName;
}

function reportEncoding(file: string, badLines: readonly number[], rows: RowCollector): void {
  for (const line of badLines)
    rows.report('encoding', 'warning', { file, line }, 'UTF-8', 'bytes read as windows-1252');
}

function addTurn(context: DialogueContext, turn: Turn, place: number): void {
  const { folder, dataset, dialogue, rows } = context;
  const parts = UTTERANCE.exec(turn.name);
  const session = SESSION.exec(folder)?.[1];
  if (parts === null || parts[1] !== dialogue || parts[2] !== `0${session}`) {
    rows.report('schema', 'error', turn.source, `a name such as ${dialogue}_F000`, `'${turn.name}'`);
    return;
  }
  const rawText = turn.line?.text ?? '';
  const style = /impro/.test(dialogue) ? 'improvised' : /script/.test(dialogue) ? 'scripted' : null;
  const row: Utterance = {
    id: `${dataset}/${turn.name}`,
    dataset,
    split: null,
    session: `Ses0${session}`,
    dialogue,
    turn: place,
    speaker: `${session}${parts[3]}`,
    rawLabel: turn.evaluation?.label ?? null,
    annotations: turn.evaluation?.annotations ?? [],
    text: normaliseText(rawText),
    rawText,
    textSource: 'corpus',
    media: {
      path: `${folder}/sentences/wav/${dialogue}/${turn.name}.wav`,
      sha256: null,
      seconds: null,
      sampleRate: null,
      channels: null,
    },
    tags: style === null ? {} : { style },
  };
  rows.add(row, turn.source);
}
