import type { KafkaMessage } from 'kafkajs';

/** What of a batch may be handled, given the offset that is due. */
export interface Admission {
  /** The records from the due offset on, without a gap before or between them. */
  readonly records: readonly KafkaMessage[];
  /** The offset that is due once `records` are handled. */
  readonly next: number;
  /** `gap`: the batch goes on after a hole at `next`. `behind`: all of it lies below the due offset. */
  readonly rest: 'none' | 'gap' | 'behind';
}

/**
 * Admits what continues the partition without a gap. Records below `due` were handled before and are dropped. `covered`
 * holds `messages` and the records that are not shown, whose offsets are taken all the same.
 */
export function admit(
  batch: { readonly messages: readonly KafkaMessage[]; readonly covered: readonly KafkaMessage[] },
  due: number,
): Admission {
  const shown = new Set(batch.messages);
  const records: KafkaMessage[] = [];
  let next = due;
  for (const message of batch.covered) {
    const offset = Number(message.offset);
    if (offset < next) continue;
    if (offset > next) return { records, next, rest: 'gap' };
    if (shown.has(message)) records.push(message);
    next = offset + 1;
  }
  return { records, next, rest: next === due && batch.covered.length > 0 ? 'behind' : 'none' };
}
