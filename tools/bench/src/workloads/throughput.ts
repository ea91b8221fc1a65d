import { type ContenderName, contenders } from '../contenders/contenders.ts';
import type { Rounds } from '../harness/rounds.ts';
import { numberText, summaryText, type Table } from '../harness/table.ts';

/** One measurement of messages that flow one way. CPU times are per message. */
export interface Throughput {
  readonly messagesPerSecond: number;
  readonly senderCpuUs: number;
  readonly receiverCpuUs: number;
}

export const messagesPerSecond = (measurement: Throughput): number => measurement.messagesPerSecond;

/** A row for each contender, compared with `base`. */
export function throughputTable(rounds: Rounds<ContenderName, Throughput>, base: ContenderName): Table {
  const rows = rounds.names.map((name) => {
    const median = (figure: (measurement: Throughput) => number): string => {
      const summary = rounds.summary(name, figure);
      return summary === undefined ? '' : numberText(summary.median);
    };
    return [
      contenders[name].title,
      median(messagesPerSecond),
      summaryText(rounds.ratio(name, base, messagesPerSecond)),
      median((measurement) => measurement.senderCpuUs),
      median((measurement) => measurement.receiverCpuUs),
    ];
  });
  const head = ['contender', 'messages/s', `x ${contenders[base].title}`, 'sender CPU us', 'receiver CPU us'];
  return { head, rows };
}
