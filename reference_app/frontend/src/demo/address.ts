/**
 * Return where this page finds a path of its server.
 *
 * It is relative to the page, because a hub serves the page below a prefix that the server does not
 * know.
 */
export function addressOf(path: string): string {
  return new URL(`.${path}`, location.href).href;
}
