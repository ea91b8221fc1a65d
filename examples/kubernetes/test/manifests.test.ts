import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { problemsOf, type Resource } from './manifest-problems.ts';

const folder = new URL('../', import.meta.url);

function textOf(file: string): string {
  return readFileSync(new URL(file, folder), 'utf8');
}

function resourcesOf(file: string): Resource[] {
  return parseAllDocuments(textOf(`manifests/${file}`)).map((document) => document.toJS() as Resource);
}

const files = { 'greeter.yaml': resourcesOf('greeter.yaml'), 'nats.yaml': resourcesOf('nats.yaml') };
const all = Object.values(files).flat();

function theOne(kind: string, name: string): Resource {
  const found = all.filter((resource) => resource.kind === kind && resource.metadata.name === name);
  expect(found).toHaveLength(1);
  return found[0] as Resource;
}

describe('the manifests', () => {
  it.each(Object.keys(files))('%s fits the schemas of Kubernetes, every field', (file) => {
    expect(files[file as keyof typeof files].flatMap(problemsOf)).toEqual([]);
  });

  it('that do not fit are found: a wrong type, a missing field, one that is misspelt', () => {
    const [deployment] = files['greeter.yaml'] as [Resource];
    const broken = (change: (spec: Resource['spec']) => void): string[] => {
      const copy = structuredClone(deployment);
      change(copy.spec);
      return problemsOf(copy);
    };
    expect(broken((spec) => Object.assign(spec, { replicas: 'three' }))).toHaveLength(1);
    expect(broken((spec) => delete spec.selector)).toHaveLength(1);
    expect(broken((spec) => Object.assign(spec.template.spec.containers[0], { livenessProb: {} }))).toEqual([
      'Deployment greeter: /spec/template/spec/containers/0/livenessProb is not known',
    ]);
    expect(problemsOf({ ...deployment, apiVersion: 'apps/v2' })).toHaveLength(1);
  });

  it('select their own pods', () => {
    for (const { kind, metadata, spec } of all) {
      if (kind !== 'Deployment' && kind !== 'StatefulSet') continue;
      const { labels } = spec.template.metadata;
      expect(labels).toMatchObject(spec.selector.matchLabels);
      expect(labels).toMatchObject(theOne('PodDisruptionBudget', metadata.name).spec.selector.matchLabels);
    }
    const { spec } = theOne('StatefulSet', 'nats');
    for (const name of ['nats', 'nats-headless']) {
      expect(spec.template.metadata.labels).toMatchObject(theOne('Service', name).spec.selector);
    }
    expect(theOne('Service', spec.serviceName).spec.clusterIP).toBe('None');
  });

  it('name ports that there are, in probes and in services', () => {
    for (const { kind, spec } of all) {
      if (kind !== 'Deployment' && kind !== 'StatefulSet') continue;
      const [container] = spec.template.spec.containers;
      const ports = container.ports.map(({ name }: { name: string }) => name);
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
        expect(ports).toContain(container[probe].httpGet.port);
    }
    const named = theOne('StatefulSet', 'nats').spec.template.spec.containers[0].ports;
    for (const name of ['nats', 'nats-headless']) {
      for (const { targetPort } of theOne('Service', name).spec.ports)
        expect(named.map((port: { name: string }) => port.name)).toContain(targetPort);
    }
  });

  it('give a pod the time that it takes to stop', () => {
    const pod = theOne('Deployment', 'greeter').spec.template.spec;
    const { lifecycle, env } = pod.containers[0];
    const stopTimeoutS = 10;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(lifecycle.preStop.sleep.seconds + stopTimeoutS);
    const probesPort = env.find(({ name }: { name: string }) => name === 'PROBES_PORT').value;
    expect(pod.containers[0].ports[0].containerPort).toBe(Number(probesPort));
    const { spec, data = {} } = { ...theOne('ConfigMap', 'nats'), spec: theOne('StatefulSet', 'nats').spec };
    const lameDuckS = Number(/lame_duck_duration: (\d+)s/.exec(data['nats.conf'] ?? '')?.[1]);
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(lameDuckS);
  });

  it('mount what they read and write', () => {
    const { spec } = theOne('StatefulSet', 'nats');
    const [container] = spec.template.spec.containers;
    const mounts = new Map(
      container.volumeMounts.map((mount: { name: string; mountPath: string }) => [mount.name, mount.mountPath]),
    );
    const volumes = [
      ...spec.template.spec.volumes,
      ...spec.volumeClaimTemplates.map((claim: Resource) => claim.metadata),
    ];
    expect([...mounts.keys()].sort()).toEqual(volumes.map(({ name }) => name).sort());
    const config = theOne('ConfigMap', 'nats').data?.['nats.conf'] ?? '';
    expect(config).toContain(`store_dir: ${mounts.get('data')}`);
    expect(config).toContain(`pid_file: ${mounts.get('pid')}/`);
    expect(container.args).toContain(`${mounts.get('config')}/nats.conf`);
  });
});

it('the image runs Node itself, as nobody special, with what the build makes', () => {
  const lines = textOf('Dockerfile').split('\n');
  const last = (instruction: string): string =>
    lines
      .filter((line) => line.startsWith(`${instruction} `))
      .at(-1)
      ?.slice(instruction.length + 1) ?? '';
  expect(last('USER')).toBe('node');
  const [program, ...parameters] = parse(last('CMD')) as string[];
  expect(program).toBe('node');
  expect(parameters.at(-1)).toBe('dist/main.js');
  expect(textOf('tsup.config.ts')).toContain('src/main.ts');
  expect(last('EXPOSE')).toBe('8080');
});
