import { AssignerProtocol, type Cluster, type GroupMember, type PartitionAssigner } from 'kafkajs';

/** Part of the group protocol: every member of a group must offer the same one. */
const NAME = 'CoPartitionAssigner';
const VERSION = 0;

/**
 * Gives partition p of every topic to the same member: the (p modulo n)-th by member id of the n members that
 * subscribe to the topic. So whoever owns a subject owns it in all subject-keyed topics, and the answer depends on the
 * members only. While a rolling update adds a topic, the topic goes to the members that know it already.
 */
export const coPartitionAssigner: PartitionAssigner = ({ cluster }) => ({
  name: NAME,
  version: VERSION,
  protocol: ({ topics }) => ({
    name: NAME,
    metadata: AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.alloc(0) }),
  }),
  assign: async ({ members }) => {
    const subscriptions = subscriptionsOf(members);
    const topics = [...new Set([...subscriptions.values()].flat())].sort();
    await cluster.addMultipleTargetTopics(topics); // the leader may not subscribe to all of them itself
    const assignments = coPartitioned(
      subscriptions,
      topics.map((topic) => [topic, partitionsOf(cluster, topic)]),
    );
    return [...assignments].map(([memberId, assignment]) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: VERSION,
        assignment,
        userData: Buffer.alloc(0),
      }),
    }));
  },
});

/** The pure part: partition numbers per topic per member, for the topics each member subscribes to. */
export function coPartitioned(
  subscriptions: ReadonlyMap<string, readonly string[]>,
  topics: readonly (readonly [topic: string, partitions: readonly number[]])[],
): Map<string, Record<string, number[]>> {
  const memberIds = [...subscriptions.keys()].sort();
  const assignments = new Map<string, Record<string, number[]>>(memberIds.map((memberId) => [memberId, {}]));
  for (const [topic, partitions] of topics) {
    const subscribed = memberIds.filter((memberId) => subscriptions.get(memberId)?.includes(topic));
    for (const partition of partitions) {
      const owner = subscribed[partition % subscribed.length];
      const assignment = owner === undefined ? undefined : assignments.get(owner);
      if (assignment !== undefined) (assignment[topic] ??= []).push(partition);
    }
  }
  return assignments;
}

function subscriptionsOf(members: readonly GroupMember[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    members.map(({ memberId, memberMetadata }) => [
      memberId,
      AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
    ]),
  );
}

function partitionsOf(cluster: Cluster, topic: string): number[] {
  return cluster
    .findTopicPartitionMetadata(topic)
    .map(({ partitionId }) => partitionId)
    .sort((a, b) => a - b);
}
