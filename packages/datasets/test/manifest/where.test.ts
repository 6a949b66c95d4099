import { describe, expect, it } from 'vitest';
import { checkWhere, matchesWhere, parseWhere } from '../../src/manifest/where.ts';
import { row } from '../support.ts';

const media = (seconds: number | null) => ({
  path: 'x.wav',
  sha256: null,
  seconds,
  sampleRate: 16000,
  channels: 1,
});
const rows = [
  row('d/a', { split: 'train', rawLabel: 'neu', speaker: 'Ann, Lee', media: media(3), turn: 0 }),
  row('d/b', {
    split: 'dev',
    rawLabel: 'ang',
    speaker: 'b',
    media: media(10),
    tags: { style: 'improvised' },
  }),
  row('d/c', { split: null, rawLabel: null, speaker: "Joey's mum", media: media(null), text: 'a b c' }),
  row('d/d', {
    split: 'test',
    rawLabel: 'neu',
    speaker: 'rock and roll',
    media: null,
    annotations: [{ annotator: 'consensus', sentiment: 'neutral' }],
    tags: { style: 'scripted', year: '1999' },
  }),
];
const keep = (text: string) => {
  const where = parseWhere(text);
  checkWhere(where, rows);
  return rows.filter((one) => matchesWhere(where, one)).map((one) => one.id.slice(2));
};

describe('parseWhere and matchesWhere', () => {
  it('compares fields, values and tags', () => {
    expect(keep('label=neu')).toEqual(['a', 'd']);
    expect(keep('rawLabel = neu')).toEqual(['a', 'd']);
    expect(keep('label=neu,ang')).toEqual(['a', 'b', 'd']);
    expect(keep('split!=dev')).toEqual(['a', 'c', 'd']);
    expect(keep('split!=dev,(none)')).toEqual(['a', 'd']);
    expect(keep('label=(none)')).toEqual(['c']);
    expect(keep('tags.style=improvised')).toEqual(['b']);
    expect(keep('tags.style!=improvised')).toEqual(['a', 'c', 'd']);
    expect(keep('sentiment=neutral')).toEqual(['d']);
    expect(keep('words>=3')).toEqual(['c']);
    expect(keep('turn=0')).toEqual(['a']);
    expect(keep('turn=00')).toEqual(['a']);
    expect(keep('tags.year>1990')).toEqual(['d']);
  });

  it('compares numbers; what has no number is neither below nor above', () => {
    expect(keep('seconds<10')).toEqual(['a']);
    expect(keep('seconds<=10')).toEqual(['a', 'b']);
    expect(keep('seconds>3')).toEqual(['b']);
    expect(keep('seconds>=3.0')).toEqual(['a', 'b']);
    expect(keep('not seconds<10')).toEqual(['b']);
    expect(keep('seconds=(none)')).toEqual(['c', 'd']);
  });

  it('joins terms with and, and turns them round with not', () => {
    expect(keep('label=neu and not split=test')).toEqual(['a']);
    expect(keep('label=neu AND seconds<10  and  turn=0')).toEqual(['a']);
    expect(keep('not label=neu and not split=dev')).toEqual(['c']);
  });

  it('takes quoted values as they are', () => {
    expect(keep('speaker="Ann, Lee"')).toEqual(['a']);
    expect(keep('speaker="rock and roll",b')).toEqual(['b', 'd']);
    expect(keep("speaker='b'")).toEqual(['b']);
    expect(keep(`speaker="Joey's mum"`)).toEqual(['c']);
    expect(keep(`speaker=Joey's mum and split=(none)`)).toEqual(['c']);
  });

  it('keeps leakage for the folds', () => {
    expect(parseWhere('not leaked')).toEqual({ text: 'not leaked', terms: [], leaked: 'out' });
    expect(parseWhere(' leaked and label=neu ')).toMatchObject({
      text: 'leaked and label=neu',
      leaked: 'only',
    });
    expect(keep('not leaked')).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('what is not understood', () => {
  const refused = (text: string) => {
    try {
      parseWhere(text);
    } catch (error) {
      return (error as Error).message;
    }
    return 'taken';
  };

  it('is told with the fields, all terms at once', () => {
    const message = refused('speker=a and seconds<x and label<3 and split= and seconds');
    expect(message.split('\n')).toEqual([
      expect.stringMatching(
        /^--where: there is no field 'speker': fields are id, .*speaker.*, and tags\.<name>$/,
      ),
      "--where: 'seconds<x': seconds < needs a number, found 'x'",
      "--where: 'label<3': label is text: < is for turn, words, seconds, start, end, sampleRate, channels and tags",
      "--where: 'split=': a value is empty or its quote is open; (none) means without one",
      "--where: 'seconds' is no condition: write field=value, field!=a,b, seconds<10, or not leaked, joined by and",
    ]);
  });

  it('is told of or, open quotes, empty terms, contradictions', () => {
    expect(refused('label=neu or label=ang')).toMatch(/there is no 'or'/);
    expect(refused('speaker="Ann')).toMatch(/its quote is open/);
    expect(refused('')).toMatch(/a term is empty/);
    expect(refused('seconds<1,2')).toMatch(/< takes one number/);
    expect(refused('turn=x')).toMatch(/turn = needs a number/);
    expect(refused('leaked and not leaked')).toMatch(/leave nothing/);
  });
});

describe('checkWhere', () => {
  it('names what there is instead of what no utterance has', () => {
    expect(() => keep('label=neut')).toThrow("--where: no utterance has label 'neut': there is ang, neu");
    expect(() => keep('label=neu,fru,xxx')).toThrow("no utterance has label 'fru' or 'xxx'");
    expect(() => keep('tags.stile=a')).toThrow('no utterance has the tag stile: tags are style, year');
    expect(() => keep('session=Ses01')).toThrow('no utterance of this dataset has session');
    const unread = rows.map((one) => ({ ...one, media: null }));
    expect(() => checkWhere(parseWhere('seconds<3'), unread)).toThrow(
      'no utterance has seconds: build the manifest with --media headers or hash',
    );
  });

  it('shortens a long list', () => {
    const many = Array.from({ length: 30 }, (_, i) => row(`d/${i}`, { speaker: `s${i}` }));
    expect(() => checkWhere(parseWhere('speaker=x'), many)).toThrow(/s0, s1, .*, and 18 more$/);
  });
});
