import type { KafkaMessage } from 'kafkajs';
import { admit } from './batch-admission.ts';

const message = (offset: number) => ({ offset: String(offset) }) as KafkaMessage;

/** A batch with these offsets; those in `hidden` are control records, covered but not shown. */
function batch(offsets: number[], hidden: number[] = []) {
  const covered = offsets.map(message);
  return { covered, messages: covered.filter(({ offset }) => !hidden.includes(Number(offset))) };
}

describe('admitting a batch', () => {
  it.each([
    ['continues the checkpoint', batch([5, 6, 7]), { records: [5, 6, 7], next: 8, rest: 'none' }],
    ['begins below the checkpoint', batch([3, 4, 5, 6]), { records: [5, 6], next: 7, rest: 'none' }],
    ['begins beyond the checkpoint', batch([6, 7]), { records: [], next: 5, rest: 'gap' }],
    ['has a hole', batch([5, 6, 8, 9]), { records: [5, 6], next: 7, rest: 'gap' }],
    ['lies below the checkpoint', batch([2, 3, 4]), { records: [], next: 5, rest: 'behind' }],
    ['is empty', batch([]), { records: [], next: 5, rest: 'none' }],
    ['hides control records', batch([5, 6, 7, 8], [6, 8]), { records: [5, 7], next: 9, rest: 'none' }],
    ['begins with a control record', batch([5, 6], [5]), { records: [6], next: 7, rest: 'none' }],
    ['holds control records only', batch([5, 6], [5, 6]), { records: [], next: 7, rest: 'none' }],
  ])('that %s', (_, given, expected) => {
    const { records, ...found } = admit(given, 5);
    expect({ records: records.map(({ offset }) => Number(offset)), ...found }).toEqual(expected);
  });
});
