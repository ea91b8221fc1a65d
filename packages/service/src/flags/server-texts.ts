// A host, one with a port, or a URL of them: what can stand alone in a list.
const wholeServer = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:\[[^\]]*\]|[^:@/\s]*)(?::\d+)?(?:[/?].*)?$/i;
const bareIpv6 = /^[0-9a-f.]*(?::[0-9a-f.]*){2,}$/i;

/**
 * Returns the servers of a comma list, trimmed, empty ones left out. A comma that can only belong to the credentials of
 * a server, as in `user:pass,word@host`, divides nothing.
 */
export function serverTexts(list: string): readonly string[] {
  const servers: string[] = [];
  let pending: string | undefined;
  for (const part of list.split(',')) {
    const text: string = pending === undefined ? part : `${pending},${part}`;
    const trimmed = text.trim();
    const isWhole = trimmed.includes('@') || wholeServer.test(trimmed) || bareIpv6.test(trimmed);
    pending = isWhole ? undefined : text;
    if (isWhole && trimmed !== '') servers.push(trimmed);
  }
  if (pending !== undefined) servers.push(...partsOf(pending));
  return servers;
}

/** Returns the parts of a comma list, trimmed, empty ones left out. */
export function partsOf(list: string): readonly string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
