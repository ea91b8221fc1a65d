/** Returns `host:port` with defaults filled in, or `undefined` where the text is none. */
export function hostPort(text: string): string | undefined {
  // A URL drops some of these in silence.
  if (/[\p{Cc}\s]/u.test(text)) return undefined;
  const isBareIpv6 = !text.includes('[') && text.split(':').length > 2;
  let url: URL;
  let hostname: string;
  try {
    url = new URL(`nats://${isBareIpv6 ? `[${text}]` : text}`);
    // Only of schemes that it knows a URL reads the host: names in other alphabets, and IP addresses.
    hostname = url.hostname && new URL(`http://${url.hostname}`).hostname;
  } catch {
    return undefined;
  }
  const hasMore = (url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '';
  const { port } = url;
  if (hostname === '' || hasMore || url.username !== '' || /[:@]$/.test(text) || port === '0') return undefined;
  return `${hostname}:${port || '4222'}`;
}
