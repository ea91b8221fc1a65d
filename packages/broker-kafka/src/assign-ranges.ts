import type { GroupPartitionsAssigner } from '@platformatic/kafka';

/**
 * Kafka's own way of sharing partitions, which Go Micro's plugin has as well: each topic goes to the members that read
 * it, as those of one group may read different topics.
 */
export const assignRanges: GroupPartitionsAssigner = (_leader, members, _topics, { topics }) => {
  const shares = Array.from(members.keys(), (memberId) => ({
    memberId,
    assignments: new Map<string, { topic: string; partitions: number[] }>(),
  })).sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  for (const [topic, { partitionsCount }] of topics) {
    const readers = shares.filter(({ memberId }) => members.get(memberId)?.topics?.includes(topic));
    const end = (reader: number) => Math.floor((reader * partitionsCount) / readers.length);
    for (const [index, { assignments }] of readers.entries()) {
      const partitions = Array.from({ length: end(index + 1) - end(index) }, (_, at) => end(index) + at);
      assignments.set(topic, { topic, partitions });
    }
  }
  return shares;
};
