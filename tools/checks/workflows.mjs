import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = '.github/workflows';

/**
 * What a workflow may not do: run an action that can change under its name, or have more rights than it names. @type
 * {(root: string) => string[]}
 */
export function findWorkflowProblems(root) {
  return readdirSync(join(root, folder)).flatMap((file) =>
    workflowProblems(file, readFileSync(join(root, folder, file), 'utf8')),
  );
}

/** @type {(file: string, workflow: string) => string[]} */
export function workflowProblems(file, workflow) {
  const used = [...workflow.matchAll(/\buses: *(\S+)(.*)$/gm)].map(([, action = '', more = '']) => ({ action, more }));
  const loose = used.filter(
    ({ action, more }) => !action.startsWith('./') && !(/@[0-9a-f]{40}$/.test(action) && /^ # v\d/.test(more)),
  );
  return [
    ...loose.map(({ action }) => `${folder}/${file}: ${action} is not pinned as owner/name@<commit> # v1.2.3`),
    ...(/^permissions:/m.test(workflow) ? [] : [`${folder}/${file}: it does not say which permissions it needs`]),
    ...(/write-all/.test(workflow) ? [`${folder}/${file}: it asks for all permissions`] : []),
  ];
}
