import type { Broker } from 'kafkajs';
import { CONNECTION_TIMEOUT_MS, kafkaClient, type KafkaSettings } from './kafka-settings.ts';
import { clusterOf } from './kafkajs-internals.ts';
import { errorFields, silentLogger } from './logger.ts';

const REQUEST_TIMEOUT_MS = 3_000;
const METADATA_AGE_MAX_MS = 60_000;
/** On a fresh broker the first group has no coordinator for a moment. */
const RETRY = { retries: 4, initialRetryTime: 100, maxRetryTime: 300 };

interface GroupRequests {
  describeGroups(o: { groupIds: string[] }): Promise<{
    groups: readonly { readonly members: readonly { readonly memberId: string; readonly clientId: string }[] }[];
  }>;
  leaveGroup(o: { groupId: string; memberId: string }): Promise<unknown>;
}

/** By this name a group knows the members of one place, see `KafkaSettings.place`. */
export function memberClientId({ clientId, place }: KafkaSettings): string {
  return place === undefined ? clientId : `${clientId}@${place}`;
}

/**
 * Takes out of the group whatever an earlier process of this place left in it. A process that was killed could not leave,
 * and whoever joins next would wait for it until its session has passed (6 s). That it is gone is certain, because this
 * process has what only one can have: the place. Should two places have one name after all, the other one joins again,
 * and the epochs of the checkpoints keep their writes apart.
 *
 * Does not reject: what can't be taken out is waited for.
 */
export async function removeDepartedMembers(kafka: KafkaSettings, groupId: string): Promise<void> {
  if (kafka.place === undefined) return;
  const logger = kafka.logger ?? silentLogger;
  const times = { connectionTimeoutMs: CONNECTION_TIMEOUT_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS, retry: RETRY };
  const access = clusterOf(kafkaClient(kafka, times), {
    metadataMaxAgeMs: METADATA_AGE_MAX_MS,
  });
  try {
    await access.connect();
    await access.cluster.refreshMetadata();
    const coordinator: Broker = await access.cluster.findGroupCoordinator({ groupId });
    const requests = coordinator as unknown as GroupRequests;
    const { groups } = await requests.describeGroups({ groupIds: [groupId] });
    const departed = groups
      .flatMap(({ members }) => members)
      .filter((member) => member.clientId === memberClientId(kafka));
    for (const { memberId } of departed) await requests.leaveGroup({ groupId, memberId });
    if (departed.length > 0)
      logger.info({ members: departed.length }, 'an earlier process of this place was taken out of the group');
  } catch (error) {
    logger.warn(errorFields(error), 'an earlier process of this place could not be taken out of the group');
  } finally {
    await access.disconnect().catch(() => undefined);
  }
}
