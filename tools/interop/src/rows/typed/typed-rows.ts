import type { Row } from '../../matrix/row.ts';
import { goToTypedRows } from './go-to-typed-rows.ts';
import { protoRows } from './proto-rows.ts';
import { typedToGoRows } from './typed-to-go-rows.ts';

const rows: readonly Row[] = [...goToTypedRows, ...typedToGoRows, ...protoRows];

/** Definitions with a Go peer at the other end; those of one direction together, as the table has them. */
export const typedRows: readonly Row[] = [
  ...rows.filter(({ direction }) => direction === 'go->ts'),
  ...rows.filter(({ direction }) => direction === 'ts->go'),
];
