import type { Annotation } from '../manifest/utterance.ts';

/** A line that has not the form of its file. */
export interface OddLine {
  /** From 1. */
  readonly line: number;
  readonly content: string;
}

/** One utterance of an EmoEvaluation file: its line, and the lines of its annotators below. */
export interface EvaluationTurn {
  readonly name: string;
  /** As the file writes it: `neu`, `xxx`, ... */
  readonly label: string;
  /** Seconds from the dialogue's start. */
  readonly start: number;
  readonly end: number;
  readonly annotations: Annotation[];
  readonly line: number;
}

/** One utterance's line of a transcript. */
export interface TranscriptLine {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly line: number;
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?`;
const TURN = new RegExp(
  String.raw`^\[\s*(${NUMBER})\s*-\s*(${NUMBER})\s*\]\s+(\S+)\s+(\S+)\s+\[\s*(${NUMBER})\s*,\s*(${NUMBER})\s*,\s*(${NUMBER})\s*\]\s*$`,
);
const NAMES_TURN = /\bSes\d\d[FM]_\w+_[FM]\d{3}\b/;
const CATEGORIES = /^C-(\w+):\s*(.*)$/;
const DIMENSIONS = /^A-(\w+):\s*(.*)$/;
const TRANSCRIPT = new RegExp(String.raw`^(\S+)\s+\[\s*(${NUMBER})\s*-\s*(${NUMBER})\s*\]\s*:(.*)$`);

/**
 * Reads an EmoEvaluation file. A turn is `[start - end] TAB name TAB label TAB [v, a, d]`; below it each annotator
 * may have a line of categories, `C-E2: Neutral; Frustration; ()`, and one of dimensions, `A-E3: val 3; act 2; dom 2; ()`.
 * Other lines are the header and blanks; a line that begins with `[`, or names an utterance, and is no turn is odd:
 * a damaged line must not take its label along in silence.
 */
export function parseEvaluation(text: string): { turns: EvaluationTurn[]; oddLines: OddLine[] } {
  const turns: EvaluationTurn[] = [];
  const oddLines: OddLine[] = [];
  text.split(/\r?\n/).forEach((content, i) => {
    const line = i + 1;
    const own = CATEGORIES.test(content) || DIMENSIONS.test(content) || content.startsWith('%');
    if (content.startsWith('[') || (!own && NAMES_TURN.test(content))) {
      const turn = readTurn(content, line);
      if (turn === null) oddLines.push({ line, content: content.trim() });
      else turns.push(turn);
      return;
    }
    const current = turns.at(-1);
    if (current === undefined) return;
    const categories = CATEGORIES.exec(content);
    if (categories !== null) {
      annotatorOf(current, categories[1] as string).categories = readCategories(categories[2] as string);
    }
    const dimensions = DIMENSIONS.exec(content);
    if (dimensions !== null) {
      Object.assign(annotatorOf(current, dimensions[1] as string), readDimensions(dimensions[2] as string));
    }
  });
  return { turns, oddLines };
}

function readTurn(content: string, line: number): EvaluationTurn | null {
  const parts = TURN.exec(content);
  if (parts === null) return null;
  const [start, end, valence, activation, dominance] = [1, 2, 5, 6, 7].map((i) => Number(parts[i])) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    name: parts[3] as string,
    label: parts[4] as string,
    start,
    end,
    annotations: [{ annotator: 'consensus', valence, activation, dominance }],
    line,
  };
}

/** An annotator's categories and dimensions stand in lines of their own and become one entry. */
function annotatorOf(turn: EvaluationTurn, annotator: string): Annotation {
  const known = turn.annotations.find((one) => one.annotator === annotator);
  if (known !== undefined) return known;
  const fresh: Annotation = { annotator };
  turn.annotations.push(fresh);
  return fresh;
}

/** `Neutral; Frustration; (comment)`: the comment is free text and is left out. */
function readCategories(text: string): string[] {
  return text
    .replace(/\(.*$/, '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** `val 3; act 2; dom  ;`: a dimension without a number was not rated. */
function readDimensions(text: string): Pick<Annotation, 'valence' | 'activation' | 'dominance'> {
  const value = (name: string) => {
    const found = new RegExp(String.raw`\b${name}\s+(${NUMBER})`).exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  return { valence: value('val'), activation: value('act'), dominance: value('dom') };
}

/** Reads a transcript: `Ses05F_script03_1_F033 [241.6700-243.4048]: text`; blank lines are skipped, others are odd. */
export function parseTranscript(text: string): { lines: TranscriptLine[]; oddLines: OddLine[] } {
  const lines: TranscriptLine[] = [];
  const oddLines: OddLine[] = [];
  text.split(/\r?\n/).forEach((content, i) => {
    const line = i + 1;
    if (content.trim() === '') return;
    const parts = TRANSCRIPT.exec(content);
    if (parts === null) {
      oddLines.push({ line, content: content.trim() });
      return;
    }
    const [, name, start, end, words] = parts as unknown as [string, string, string, string, string];
    lines.push({ name, start: Number(start), end: Number(end), text: words.replace(/^ /, ''), line });
  });
  return { lines, oddLines };
}
