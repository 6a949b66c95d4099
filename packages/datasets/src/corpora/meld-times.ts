/** A time of MELD's annotations. */
export interface MeldTime {
  readonly seconds: number;
  /** `HH:MM:SS,mmm`. */
  readonly text: string;
  /** Written as `H:MM:SS,mmm` or `HH:MM:SS,mmm`; three have fewer digits behind the comma. */
  readonly regular: boolean;
}

const TIME = /^(\d{1,2}):([0-5]\d):([0-5]\d),(\d{1,3})$/;

/** Reads a time; the digits behind the comma count milliseconds, however many they are. Null where it is none. */
export function parseMeldTime(text: string): MeldTime | null {
  const parts = TIME.exec(text.trim());
  if (parts === null) return null;
  const [, h, m, s, ms] = parts as unknown as [string, string, string, string, string];
  const seconds = (Number(h) * 3_600_000 + Number(m) * 60_000 + Number(s) * 1000 + Number(ms)) / 1000;
  return {
    seconds,
    text: `${h.padStart(2, '0')}:${m}:${s},${ms.padStart(3, '0')}`,
    regular: ms.length === 3,
  };
}
