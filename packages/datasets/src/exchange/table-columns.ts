/** Which columns of a table hold what; what is left out is found by its name. */
export interface Columns {
  readonly id?: string | undefined;
  /** The features. */
  readonly column?: string | undefined;
  /** Steps of each row, where its steps are padded or flat. */
  readonly length?: string | undefined;
}

/** Names that a column of ids goes by, the likeliest first. */
export const ID_COLUMNS: readonly string[] = [
  'utterance_id',
  'utterance_ids',
  'id',
  'ids',
  'utterance',
  'name',
  'names',
  'key',
  'keys',
  'file',
  'files',
  'filename',
  'filenames',
  'file_name',
  'path',
];

/** Names that a column of lengths goes by. */
export const LENGTH_COLUMNS: readonly string[] = ['n', 'length', 'lengths', 'lens'];
