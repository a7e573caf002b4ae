import { Barrier } from '@assent/projection';

/**
 * Imported before dispatch's own program it makes a build whose gate waits for nothing, to prove that the checker of I2
 * sees what then happens. No setting of the product can do this: the code is not in it.
 */
Barrier.prototype.reach = (partitions) =>
  Promise.resolve({
    reached: Object.fromEntries(partitions.map(({ topic, partition }) => [`${topic}/${partition}`, 0])),
    behind: [],
    waitedMs: 0,
  });
