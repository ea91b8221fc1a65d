import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Service } from 'kubernetes-models/v1';

/** A resource as it is written. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: whatever the manifest has.
  readonly spec: any;
  readonly data?: Readonly<Record<string, string>>;
}

const models = { ConfigMap, Deployment, PodDisruptionBudget, Service, StatefulSet };

/** What Kubernetes' own schemas say against a resource, and the fields that they do not know. */
export function problemsOf(resource: Resource): string[] {
  const what = `${resource.kind} ${resource.metadata?.name}`;
  const Model = models[resource.kind as keyof typeof models];
  if (Model === undefined || Model.apiVersion !== resource.apiVersion)
    return [`${what}: ${resource.apiVersion} ${resource.kind} is not known`];
  const read = new Set<string>();
  try {
    const model = new Model(resource as never);
    // What the schemas read of it is what they know.
    for (const name of Object.keys(resource)) {
      read.add(`/${name}`);
      Object.assign(model, { [name]: watched(resource[name as keyof Resource], `/${name}`, read) });
    }
    model.validate();
  } catch (error) {
    return [`${what}: ${(error as Error).message}`];
  }
  return pathsOf(resource, '')
    .filter((path) => !read.has(path))
    .map((path) => `${what}: ${path} is not known`);
}

/** The same value, which notes the path of each field that is read. */
function watched(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get: (target, name, receiver) => {
      const field = Reflect.get(target, name, receiver);
      if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return field;
      const below = `${path}/${name}`;
      read.add(below);
      return watched(field, below, read);
    },
  });
}

function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => [`${path}/${name}`, ...pathsOf(field, `${path}/${name}`)]);
}
