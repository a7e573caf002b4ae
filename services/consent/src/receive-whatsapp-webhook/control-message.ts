import type { CapturePointPublished, Scope } from '@assent/contracts';
import { matchOptIn } from '../control-messages/opt-in-keyword.ts';
import { isStopMessage } from '../control-messages/stop-words.ts';
import { optOutScopeOf } from './opt-out-payload.ts';
import type { MessageUpdate } from './webhook-updates.ts';

/** What a message asks us to do. */
export type ControlMessage =
  | { readonly control: 'stop'; readonly method: 'keyword' | 'button'; readonly scope: Scope }
  | { readonly control: 'opt-in'; readonly method: 'keyword' | 'qr' | 'button'; readonly publicCode: string }
  | { readonly control: 'confirm'; readonly payload: string }
  | { readonly control: 'none' };

const OPT_IN_BUTTON = /^OPTIN\|([a-z0-9][a-z0-9-]{0,31}\.[a-z0-9][a-z0-9-]{0,47})$/;

/**
 * Reads a message. A stop wins over everything: a button whose payload or label withdraws is one, also where a template
 * gave it no payload of ours (WhatsApp then sends the label, which is localised).
 */
export function controlMessageOf(
  { text, payload }: Pick<MessageUpdate, 'text' | 'payload'>,
  capturePoints: readonly CapturePointPublished[],
): ControlMessage {
  const optOut = payload === undefined ? undefined : optOutScopeOf(payload);
  if (optOut !== undefined) return { control: 'stop', method: 'button', scope: optOut };
  if (payload?.startsWith('CONFIRM|') === true) return { control: 'confirm', payload };
  const optIn = payload === undefined ? null : OPT_IN_BUTTON.exec(payload);
  if (optIn?.[1] !== undefined) return { control: 'opt-in', method: 'button', publicCode: optIn[1] };
  const saysStop = [text, payload].some((said) => said !== undefined && isStopMessage(said));
  if (saysStop)
    return { control: 'stop', method: payload === undefined ? 'keyword' : 'button', scope: { kind: 'all' } };
  const match = text === undefined || payload !== undefined ? undefined : matchOptIn(text, capturePoints);
  if (match === undefined) return { control: 'none' };
  return { control: 'opt-in', method: match.method, publicCode: match.capturePoint.publicCode };
}
