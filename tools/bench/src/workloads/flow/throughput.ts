import { type ContenderName, contenders } from '../../contenders/contenders.ts';
import { medianText, summaryText, type Table } from '../../harness/report/table.ts';
import type { Rounds } from '../../harness/rounds.ts';

/** One measurement of messages that flow one way. CPU times are per message. */
export interface Throughput {
  readonly messagesPerSecond: number;
  readonly senderCpuUs: number;
  readonly receiverCpuUs: number;
}

export const messagesPerSecond = (measurement: Throughput): number => measurement.messagesPerSecond;

export const receiverCpu = (measurement: Throughput): number => measurement.receiverCpuUs;

/** A row for each contender, compared with `base`. */
export function throughputTable(rounds: Rounds<ContenderName, Throughput>, base: ContenderName): Table {
  const head = ['contender', 'messages/s', `x ${contenders[base].title}`, 'sender CPU us', 'receiver CPU us'];
  const rows = rounds.names.map((name) => [
    contenders[name].title,
    medianText(rounds.summary(name, messagesPerSecond)),
    summaryText(rounds.ratio(name, base, messagesPerSecond)),
    medianText(rounds.summary(name, (measurement) => measurement.senderCpuUs)),
    medianText(rounds.summary(name, receiverCpu)),
  ]);
  return { head, rows };
}
