import { newMessageId } from '../message-id.ts';
import { DEFAULT_PHONE_NUMBER, type PhoneNumber } from '../phone-numbers.ts';
import { inboundUpdate, preferenceUpdate } from '../webhooks/updates.ts';
import type { World } from '../world.ts';
import type { Person, ReceivedMessage } from './people.ts';

interface Addressing {
  /** The business number that is written to; when absent, the first one. */
  readonly phoneNumberId?: string;
  /** The message's timestamp, epoch ms; now when absent. */
  readonly atMs?: number;
}

export interface WrittenMessage extends Addressing {
  /** The message type and its fields as the webhook carries them. */
  readonly type: string;
  readonly content: object;
  /** The message that this one answers. */
  readonly answers?: string;
}

export interface ButtonPress extends Addressing {
  readonly payload?: string;
  /** The button's label, for a press that names no payload. */
  readonly text?: string;
  /** The message whose button it is; the newest with such a button when absent. */
  readonly messageId?: string;
  /** Sends the press although the person never got such a button. */
  readonly forged?: boolean;
}

export class NoSuchButtonError extends Error {
  override readonly name = 'NoSuchButtonError';
  readonly code = 'no-such-button';
}

export class UnknownPhoneNumberError extends Error {
  override readonly name = 'UnknownPhoneNumberError';
  readonly code = 'unknown-phone-number';
}

/** The person writes to the business, which opens the service window. Returns the message's id. */
export function writeMessage(world: World, person: Person, message: WrittenMessage): string {
  const phoneNumber = phoneNumberOf(world, message.phoneNumberId);
  const atMs = message.atMs ?? world.clock.now();
  const messageId = newMessageId();
  person.lastWroteAtMs.set(phoneNumber.id, Math.max(atMs, person.lastWroteAtMs.get(phoneNumber.id) ?? 0));
  world.webhooks.enqueue(
    inboundUpdate({
      phoneNumber,
      person,
      messageId,
      atMs,
      type: message.type,
      content: message.content,
      ...(message.answers === undefined ? {} : { answers: message.answers }),
    }),
  );
  return messageId;
}

/** The person presses a button they got. Returns the message's id. Throws `NoSuchButtonError`. */
export function pressButton(world: World, person: Person, press: ButtonPress): string {
  const { received, button } = buttonOf(person, press);
  const { payload, text } = button;
  const interactive = received?.type === 'interactive';
  return writeMessage(world, person, {
    type: interactive ? 'interactive' : 'button',
    content: interactive
      ? { interactive: { type: 'button_reply', button_reply: { id: payload, title: text } } }
      : { button: { payload, text } },
    ...answered(received?.messageId ?? press.messageId),
    ...phoneNumberId(press.phoneNumberId ?? received?.phoneNumberId),
    ...(press.atMs === undefined ? {} : { atMs: press.atMs }),
  });
}

/** The person stops or resumes marketing of a business number in WhatsApp's own setting. */
export function setPreference(world: World, person: Person, value: 'stop' | 'resume', to: Addressing = {}): void {
  const phoneNumber = phoneNumberOf(world, to.phoneNumberId);
  if (value === 'stop') person.stoppedMarketing.add(phoneNumber.id);
  else person.stoppedMarketing.delete(phoneNumber.id);
  world.webhooks.enqueue(preferenceUpdate(phoneNumber, person, value, to.atMs ?? world.clock.now()));
}

/** Throws `UnknownPhoneNumberError`. */
export function phoneNumberOf(world: World, id?: string): PhoneNumber {
  const found = id === undefined ? [...world.phoneNumbers.values()][0] : world.phoneNumbers.get(id);
  if (found === undefined && id !== undefined) throw new UnknownPhoneNumberError('no such phone number id');
  return found ?? DEFAULT_PHONE_NUMBER;
}

function buttonOf(
  person: Person,
  press: ButtonPress,
): { received?: ReceivedMessage; button: { payload: string; text: string } } {
  const newestFirst = [...person.inbox.items()].reverse();
  for (const received of newestFirst) {
    if (press.messageId !== undefined && press.messageId !== received.messageId) continue;
    const button = received.buttons.find(
      ({ payload, text }) =>
        (press.payload === undefined || press.payload === payload) && (press.text === undefined || press.text === text),
    );
    if (button !== undefined) return { received, button };
  }
  if (press.forged !== true) throw new NoSuchButtonError('the person has got no such button');
  const payload = press.payload ?? press.text ?? '';
  return { button: { payload, text: press.text ?? payload } };
}

const answered = (messageId?: string) => (messageId === undefined ? {} : { answers: messageId });
const phoneNumberId = (id?: string) => (id === undefined ? {} : { phoneNumberId: id });
