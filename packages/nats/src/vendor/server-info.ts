import type { ServerInfo } from 'nats';
import { hostPort } from '../host-port.ts';

/** What a server takes by default, and the most that NATS documents: some can be told to take more. */
const usualPayload = 1024 * 1024;
export const mostPayload: number = 64 * 1024 * 1024;
/** More to turn to is of no use, and each dial looks through them. */
const mostServers = 1000;

/**
 * Reads what follows `INFO`; `undefined` where the client could not work with it. The client itself takes any JSON, and
 * throws at an address that is none, so only what can be one is left of the servers that it tells of.
 */
export function readServerInfo(text: string): ServerInfo | undefined {
  try {
    const info = JSON.parse(text);
    const { version, max_payload: maxPayload = 0, connect_urls: urls = [] } = info;
    const isKnown = /^\D*\d+\.\d+\.\d+/.test(version) && Number.isSafeInteger(maxPayload) && Array.isArray(urls);
    if (!isKnown || !urls.every((url: unknown) => typeof url === 'string')) return undefined;
    return { ...info, max_payload: payloadOf(maxPayload), connect_urls: addressesOf(urls) };
  } catch {
    return undefined;
  }
}

/** A negative limit is none. */
export function payloadOf(limit: number): number {
  if (limit === 0) return usualPayload;
  return limit < 0 ? mostPayload : Math.min(limit, mostPayload);
}

function addressesOf(urls: readonly string[]): string[] {
  const addresses = new Set<string>();
  for (const url of urls) {
    const address = url.length > 1000 ? undefined : hostPort(url);
    if (address !== undefined) addresses.add(address);
    if (addresses.size === mostServers) break;
  }
  return [...addresses];
}
