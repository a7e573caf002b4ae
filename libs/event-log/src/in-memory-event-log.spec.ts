import { describeEventLogContract } from './event-log.contract.ts';
import { InMemoryEventLog } from './in-memory-event-log.ts';

describeEventLogContract('the in-memory log', async () => {
  const log = new InMemoryEventLog({ topics: { 'a.topic': 4 }, clock: { now: () => Date.now() } });
  return { log, topic: 'a.topic', close: () => log.close() };
});
