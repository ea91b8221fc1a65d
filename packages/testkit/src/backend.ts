import type { Broker, Registry, Transport } from '@ts-micro/core';
import type { Level } from './run/levels.ts';

/** The interfaces a backend can implement. */
export interface Interfaces {
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
}

export type InterfaceName = keyof Interfaces;

/** Ways to break what the backend talks to; with them the kit runs the outage cases. */
export interface Faults {
  /** Ends the server and its connections, as a crash does; resolves once it is gone. */
  kill(): Promise<void>;
  /** Starts it again where clients look for it; resolves once it takes connections. */
  restart(): Promise<void>;
  /** Cuts the network for `ms` milliseconds while the server lives on; resolves once it is whole again. */
  partition?(ms: number): Promise<void>;
  /**
   * Has every connection that is open now lose all bytes from now on, and neither side told; new connections work. So
   * ends a network behind a firewall that forgot them.
   */
  halfOpen?(): Promise<void>;
}

/** One world for one case: instances opened from it see each other. */
export interface Harness<I extends InterfaceName> extends Partial<AsyncDisposable> {
  /** Opens one more independent instance; the kit closes it. */
  open(): Interfaces[I] | Promise<Interfaces[I]>;
  readonly faults?: Faults | undefined;
  /** Ends the server and starts it again without what it had stored; resolves once it takes connections. */
  loseData?(): Promise<void>;
  /**
   * Puts bytes where the backend reads, as another program could: on a topic, at a listener's address, under the name
   * of a service. `place` is that name. Where the backend can keep such bytes for those who come later, they are kept.
   */
  inject?(bytes: Uint8Array, place: string): Promise<void>;
  /** Opens an instance with credentials that the server refuses. */
  badCredentials?(): Interfaces[I] | Promise<Interfaces[I]>;
  /**
   * Counts what the backend lets be counted (connections, subscriptions); after a case every number must be back where
   * it was.
   */
  count?(): Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>;
}

/** How patient the kit is. */
export interface Timing {
  /** Every bound is multiplied by it. @default 1 */
  readonly factor?: number | undefined;
  /** How exactly the backend keeps a `ttlMs`, in milliseconds: 1000 where it counts seconds. @default 1 */
  readonly ttlStepMs?: number | undefined;
}

/** How the case that runs random programs goes about it. */
export interface Programs {
  /** How many programs at most; `CONTRACT_PROGRAMS` in the environment goes before it. @default 100 */
  readonly count?: number | undefined;
  /** How long it begins programs, in milliseconds. @default 3000, or a second for each of `CONTRACT_PROGRAMS` */
  readonly ms?: number | undefined;
  /**
   * What the programs are made from: the same seed gives the same ones. `random` draws one; a failure prints what runs
   * its program alone. `CONTRACT_SEED` in the environment goes before it. @default 1
   */
  readonly seed?: number | string | undefined;
}

/** A case that fails today. It must: a pass is an error, so that the list cannot go stale. */
export interface KnownFailing {
  readonly id: string;
  readonly reason: string;
}

/** A case before it is run. */
export interface CaseSummary {
  readonly id: string;
  readonly title: string;
  readonly subject: string;
  /** Features the backend has to support, and the hooks that its author has to give, such as `faults`. */
  readonly needs: readonly string[];
  /** What a backend that passes it may claim. */
  readonly level: Level;
}

interface BackendSettings {
  /** The backend's name in reports. */
  readonly name: string;
  /** Leaves out every case it is not true of: the contract is kept in part then, and its report is called so. */
  only?(candidate: CaseSummary): boolean;
  readonly timing?: Timing | undefined;
  readonly knownFailing?: readonly KnownFailing[] | undefined;
  readonly programs?: Programs | undefined;
  /** Its server has several nodes: what it shows of outages is of the level `cluster`. @default false */
  readonly cluster?: boolean | undefined;
}

/**
 * A backend as the kit needs it: `open` where all instances see each other anyway (one server), or `create` where each
 * case gets a world of its own.
 */
export type BackendUnderTest<I extends InterfaceName> = BackendSettings &
  (
    | Harness<I>
    | {
        /**
         * Makes the world of one case; disposed after it. `id` is random and unique, of letters and digits. What the
         * case needs says, for example, whether it takes servers down.
         */
        create(id: string, candidate: CaseSummary): Harness<I> | Promise<Harness<I>>;
      }
  );

/** The facts that only a transport's author can know. */
export interface TransportSettings {
  /** An address `listen` takes, made from a unique id of letters and digits. @default the id */
  address?(id: string): string;
  /**
   * Dial with the listener's metadata, as a service does; `false` tests the dialect that every peer understands.
   * @default true
   */
  readonly dialWithMetadata?: boolean | undefined;
}

export type TransportUnderTest = BackendUnderTest<'transport'> & TransportSettings;
export type BrokerUnderTest = BackendUnderTest<'broker'>;
export type RegistryUnderTest = BackendUnderTest<'registry'>;
