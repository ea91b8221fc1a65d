import { type NatsRegistryOptions, natsRegistry } from '@ts-micro/registry-nats';

/** How a fleet's registries talk: so that Go peers understand them, or among themselves. */
export type RegistryDialect = 'interop' | 'native';

/** The options of a registry that talks so. */
export function registryOptions(dialect: RegistryDialect): NatsRegistryOptions {
  return dialect === 'interop' ? {} : withInterop(false);
}

/** Whether the registry has the option `interop` at all: one that it knows refuses what is neither true nor false. */
export async function hasNativeRegistry(): Promise<boolean> {
  try {
    await natsRegistry(withInterop('neither')).close();
    return false;
  } catch {
    return true;
  }
}

function withInterop(interop: unknown): NatsRegistryOptions {
  return { interop } as NatsRegistryOptions;
}
