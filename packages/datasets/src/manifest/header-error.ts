/** What is wrong with a recording as its header shows it: `media` passes report it as undecodable. */
export class HeaderError extends Error {
  override readonly name: string = 'HeaderError';
}
