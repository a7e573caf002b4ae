import { createRequire } from 'node:module';
import { amendKafkajs } from './kafkajs-internals.ts';

const internal = createRequire(import.meta.url);

describe('kafkajs as amended', () => {
  beforeAll(() => {
    amendKafkajs();
  });

  it('wakes up for pending requests only', () => {
    const RequestQueue = internal('kafkajs/src/network/requestQueue/index.js') as new (options: object) => {
      pending: unknown[];
      throttleCheckTimeoutId: unknown;
      scheduleCheckPendingRequests(): void;
      destroy(): void;
    };
    const queue = new RequestQueue({ maxInFlightRequests: null, requestTimeout: 1_000, clientId: 'a', broker: 'b' });
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
    queue.pending.push({});
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    queue.destroy();
  });

  const parse = async (topicErrorCode: number, partitionErrorCodes: number[]) => {
    const { requests, lookup } = internal('kafkajs/src/protocol/requests/index.js') as {
      requests: { Metadata: unknown };
      lookup(versions: object): (
        apiKey: number,
        table: unknown,
      ) => (request: object) => {
        response: { parse(data: object): Promise<unknown> };
      };
    };
    const METADATA = 3;
    const build = lookup({ [METADATA]: { minVersion: 0, maxVersion: 12 } })(METADATA, requests.Metadata);
    const partitionMetadata = partitionErrorCodes.map((partitionErrorCode) => ({ partitionErrorCode, leader: -1 }));
    return build({ topics: ['t'] }).response.parse({ topicMetadata: [{ topicErrorCode, partitionMetadata }] });
  };

  it('accepts metadata in which a partition has no leader', async () => {
    await expect(parse(0, [0, 5])).resolves.toMatchObject({ topicMetadata: [{ partitionMetadata: [{}, {}] }] });
  });

  it('still refuses metadata with any other error', async () => {
    await expect(parse(3, [0])).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await expect(parse(0, [0, 72])).rejects.toMatchObject({ type: 'LISTENER_NOT_FOUND' });
  });
});
