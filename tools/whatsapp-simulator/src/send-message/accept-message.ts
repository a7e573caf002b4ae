import { GraphError } from '../graph-error.ts';
import { newMessageId } from '../message-id.ts';
import { hasOpenWindow, type Person } from '../people/people.ts';
import type { PhoneNumber } from '../phone-numbers.ts';
import type { World } from '../world.ts';
import type { Content, OutgoingMessage } from './outgoing-message.ts';
import { renderTemplate, type RenderedMessage } from './templates.ts';

/** A message the platform has taken: it will be delivered, or fail in a status. */
export interface AcceptedMessage {
  readonly messageId: string;
  readonly acceptedAtMs: number;
  readonly phoneNumber: PhoneNumber;
  readonly message: OutgoingMessage;
  /** Absent for a number that nobody has. */
  readonly person?: Person;
  readonly rendered: RenderedMessage;
  readonly category: 'marketing' | 'utility' | 'authentication' | 'service';
  /** Why it will fail later. */
  readonly failure?: GraphError;
}

/** Messages on their way; beyond, the platform answers that it is unavailable. */
const MESSAGES_UNDER_WAY_MAX = 100_000;

/** Checks everything that the platform checks before it answers 200. Throws `GraphError`. */
export function acceptMessage(world: World, phoneNumber: PhoneNumber, message: OutgoingMessage): AcceptedMessage {
  if (world.timers.size > MESSAGES_UNDER_WAY_MAX) throw new GraphError(131016, 'Too many messages are under way.');
  if (message.phone === phoneNumber.displayPhoneNumber) {
    throw new GraphError(131021, 'Sender and recipient phone number are the same.');
  }
  const nowMs = world.clock.now();
  const person = recipientOf(world, message);
  const { rendered, category } = contentFor(world, message.content);
  if (category === 'service' && (person === undefined || !hasOpenWindow(person, phoneNumber.id, nowMs))) {
    throw new GraphError(
      131047,
      'More than 24 hours have passed since the recipient last replied to the sender number.',
    );
  }
  world.rateLimits.take(phoneNumber.id, person?.key ?? message.input, nowMs);
  const failure = failureOf(world, phoneNumber, person, category);
  return {
    messageId: newMessageId(),
    acceptedAtMs: nowMs,
    phoneNumber,
    message,
    rendered,
    category,
    ...(person === undefined ? {} : { person }),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** The body of the 200: accepted, not delivered. */
export function acceptedResponse({ message, person, messageId }: AcceptedMessage): object {
  const recipient = message.phone === undefined ? { user_id: message.bsuid } : { wa_id: person?.waId ?? message.phone };
  return {
    messaging_product: 'whatsapp',
    contacts: [{ input: message.input, ...recipient }],
    messages: [{ id: messageId, ...(message.content.type === 'template' ? { message_status: 'accepted' } : {}) }],
  };
}

function recipientOf(world: World, message: OutgoingMessage): Person | undefined {
  const address = message.phone ?? message.bsuid ?? '';
  const person = world.people.find(address);
  if (person !== undefined) return person;
  switch (world.behaviour.unknownRecipients) {
    case 'undeliverable':
      return undefined;
    case 'refuse':
      throw new GraphError(131030, 'Recipient phone number is not in the list of allowed numbers.');
    case 'create':
      return world.people.register(message.phone === undefined ? { bsuid: address } : { phone: `+${address}` });
  }
}

function contentFor(world: World, content: Content): Pick<AcceptedMessage, 'rendered' | 'category'> {
  switch (content.type) {
    case 'text':
      return { rendered: { text: content.body, buttons: [] }, category: 'service' };
    case 'interactive': {
      const buttons = content.buttons.map(({ id, title }) => ({ text: title, payload: id }));
      return { rendered: { text: content.body, buttons }, category: 'service' };
    }
    case 'template': {
      const template = world.templates.find(content);
      return { rendered: renderTemplate(template, content), category: template.category };
    }
  }
}

function failureOf(
  world: World,
  phoneNumber: PhoneNumber,
  person: Person | undefined,
  category: AcceptedMessage['category'],
): GraphError | undefined {
  if (person === undefined) return new GraphError(131026, 'Message undeliverable.');
  if (category === 'marketing' && person.stoppedMarketing.has(phoneNumber.id)) {
    const stopped = new GraphError(131050, 'The recipient chose to stop receiving marketing messages from you.');
    if (world.behaviour.stopErrorIn === 'reply') throw stopped;
    return stopped;
  }
  const code = world.faults.take('fail-status')?.code ?? person.behaviour.failWithCode;
  return code === undefined ? undefined : new GraphError(code, 'Simulated failure.');
}
