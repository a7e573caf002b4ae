import type { DispatchClass, TemplateRegistered } from '@assent/contracts';
import type { WhatsappMessage } from '../call-whatsapp/whatsapp-client.ts';

/** The button of a message that opts out; consent's webhook knows it by this payload. */
const OPT_OUT_PAYLOAD = 'OPTOUT';

/** What the template is filled with: an opt-in question takes the link, if it has room, and the confirming button. */
export function fillTemplate(
  kind: DispatchClass,
  texts: ReadonlyMap<string, string>,
  template: Pick<TemplateRegistered, 'bodyParameters' | 'buttons'> | undefined,
): Pick<WhatsappMessage, 'bodyParameters' | 'quickReplies'> {
  const buttons = template?.buttons ?? [];
  if (kind === 'opt-in-ask') {
    const { payload, url } = JSON.parse(texts.get('confirmation') ?? '{}') as { payload?: string; url?: string };
    const wantsLink = (template?.bodyParameters ?? 0) > 0 && url !== undefined;
    return {
      bodyParameters: wantsLink ? [url] : [],
      quickReplies: buttons.length > 0 && payload !== undefined ? [{ index: 0, payload }] : [],
    };
  }
  const bodyParameters = JSON.parse(texts.get('parameters') ?? '[]') as string[];
  const optOut = buttons.findIndex(({ optsOut }) => optsOut === true);
  return { bodyParameters, quickReplies: optOut === -1 ? [] : [{ index: optOut, payload: OPT_OUT_PAYLOAD }] };
}
