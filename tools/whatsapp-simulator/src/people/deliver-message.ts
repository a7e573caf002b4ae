import type { AcceptedMessage } from '../send-message/accept-message.ts';
import { statusUpdate, type Status } from '../webhooks/updates.ts';
import type { World } from '../world.ts';
import { pressButton } from './act-as-person.ts';
import type { Person, ReceivedMessage } from './people.ts';

interface PlannedStatus {
  readonly status: Status;
  readonly afterMs: number;
}

/** Sends the statuses of an accepted message, puts it into the person's inbox and lets the person react. */
export function deliverMessage(world: World, accepted: AcceptedMessage): void {
  const planned = plannedStatuses(world, accepted);
  const copies = world.faults.take('duplicate-statuses') === undefined ? 1 : 2;
  for (const { status, afterMs, sendAfterMs } of inSendingOrder(world, planned)) {
    for (let copy = 0; copy < copies; copy += 1) {
      world.timers.after(sendAfterMs + copy * world.behaviour.statusDelayMs, () => {
        world.webhooks.enqueue(
          statusUpdate({
            phoneNumber: accepted.phoneNumber,
            messageId: accepted.messageId,
            status,
            atMs: accepted.acceptedAtMs + afterMs,
            category: accepted.category,
            ...optional('person', accepted.person),
            ...optional('phone', accepted.message.phone),
            ...optional('bizOpaqueCallbackData', accepted.message.bizOpaqueCallbackData),
            ...optional('error', status === 'failed' ? accepted.failure : undefined),
          }),
        );
      });
    }
  }
  const delivered = planned.find(({ status }) => status === 'delivered');
  if (delivered === undefined || accepted.person === undefined) return;
  const { person } = accepted;
  world.timers.after(delivered.afterMs, () => {
    receive(world, person, accepted);
  });
}

function plannedStatuses(world: World, { person, failure }: AcceptedMessage): readonly PlannedStatus[] {
  const stepMs = world.behaviour.statusDelayMs;
  if (failure !== undefined) return [{ status: 'failed', afterMs: stepMs }];
  const sent: PlannedStatus = { status: 'sent', afterMs: stepMs };
  if (person?.behaviour.deliver === false) return [sent];
  const delivered: PlannedStatus = { status: 'delivered', afterMs: 2 * stepMs };
  const readAfterMs = person?.behaviour.autoReadAfterMs;
  return readAfterMs === undefined
    ? [sent, delivered]
    : [sent, delivered, { status: 'read', afterMs: delivered.afterMs + readAfterMs }];
}

function inSendingOrder(
  world: World,
  planned: readonly PlannedStatus[],
): readonly (PlannedStatus & { readonly sendAfterMs: number })[] {
  if (world.faults.take('reorder-statuses') === undefined) {
    return planned.map((entry) => ({ ...entry, sendAfterMs: entry.afterMs }));
  }
  const allPassedMs = planned.at(-1)?.afterMs ?? 0;
  return [...planned]
    .reverse()
    .map((entry, index) => ({ ...entry, sendAfterMs: allPassedMs + index * world.behaviour.statusDelayMs }));
}

function receive(world: World, person: Person, accepted: AcceptedMessage): void {
  const { content } = accepted.message;
  const received: ReceivedMessage = {
    messageId: accepted.messageId,
    phoneNumberId: accepted.phoneNumber.id,
    receivedAtMs: world.clock.now(),
    type: content.type,
    text: accepted.rendered.text,
    buttons: accepted.rendered.buttons,
    ...(content.type === 'template'
      ? {
          template: {
            name: content.name,
            language: content.language,
            parameters: content.bodyParameters.map(({ text }) => text),
          },
        }
      : {}),
  };
  person.inbox.push(received);
  const { autoConfirmAfterMs } = person.behaviour;
  const confirm = received.buttons.find(({ payload }) => payload.startsWith('CONFIRM'));
  if (autoConfirmAfterMs === undefined || confirm === undefined) return;
  world.timers.after(autoConfirmAfterMs, () => {
    pressButton(world, person, { payload: confirm.payload, messageId: received.messageId });
  });
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
