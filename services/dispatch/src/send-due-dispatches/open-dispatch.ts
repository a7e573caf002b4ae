import type { Connection } from 'mongoose';
import type { WhatsappMessage } from '../call-whatsapp/whatsapp-client.ts';
import type { DispatchDocument } from '../dispatch-ledger/dispatch.projection.ts';
import type { DispatchWish } from '../gate/gate.facts.ts';
import type { WishedRecipient } from '../gate/gate-reader.ts';
import type { RecipientAddress } from '../recipients/recipient.projection.ts';
import type { RecipientLookup } from '../recipients/recipient-lookup.ts';
import type { SealedFields } from '../sealed-fields/sealed-fields.ts';
import { templateDocumentId, type TemplateDocument, templateFold } from '../templates/template.projection.ts';
import { fillTemplate } from './fill-template.ts';

export interface OpenedDispatch {
  readonly kind: 'opened';
  readonly wish: DispatchWish;
  readonly recipient: WishedRecipient;
  readonly message: Omit<WhatsappMessage, 'callbackData'>;
}

/** `unavailable`: the keys, or the person's address, can't be had now. `gone`: there is nothing left to open; the person was erased. */
export type OpeningResult = OpenedDispatch | { readonly kind: 'unavailable' } | { readonly kind: 'gone' };

/**
 * Opens what is sealed in a dispatch: address, parameters, the confirmation of an opt-in question. Done before the gate,
 * so that nothing slow lies between the barrier and the call. Nothing opened is kept or logged.
 */
export class OpenDispatch {
  readonly #db: Connection;
  readonly #recipients: RecipientLookup;
  readonly #sealed: SealedFields;

  constructor(deps: { db: Connection; recipients: RecipientLookup; sealed: SealedFields }) {
    this.#db = deps.db;
    this.#recipients = deps.recipients;
    this.#sealed = deps.sealed;
  }

  async execute(dispatch: DispatchDocument & { subjectId: string }): Promise<OpeningResult> {
    const { tenant, subjectId, template, senderId, category, cause, expiresAt, schedule } = dispatch;
    const document = await this.#recipients.byId(tenant, subjectId);
    const address = document?.addresses.find(({ addressKey }) => addressKey === dispatch.addressKey);
    // Addresses are only ever added and accepted dispatches are whole: what is missing is not applied here yet.
    if (address === undefined || template === undefined || senderId === undefined) return { kind: 'unavailable' };
    if (category === undefined || cause === undefined || expiresAt === undefined || schedule === undefined) {
      return { kind: 'unavailable' };
    }
    const opened = await this.#sealed.open({ tenant, subjectId }, sealedPartsOf(dispatch, address));
    if (opened.kind !== 'opened') return opened;
    const registered = await this.#db
      .collection<TemplateDocument>(templateFold.collection)
      .findOne({ _id: templateDocumentId(tenant, template) }, { readPreference: 'primary' });
    const filled = fillTemplate(dispatch.class, opened.texts, registered?.template);
    const to = addressed(address, opened.texts.get('address') ?? '');
    return {
      kind: 'opened',
      wish: {
        dispatchId: dispatch._id,
        class: dispatch.class,
        cause,
        ...(dispatch.purposeId === undefined ? {} : { purposeId: dispatch.purposeId }),
        category,
        senderId,
        template,
        parameterCount: filled.bodyParameters.length,
        schedule,
        expiresAt: Date.parse(expiresAt),
      },
      recipient: { tenant, subjectId, address: to },
      message: { senderId, to, template, ...filled },
    };
  }
}

function sealedPartsOf(dispatch: DispatchDocument, address: RecipientAddress): Map<string, string> {
  const { sealedParameters, sealedConfirmation } = dispatch;
  return new Map([
    ['address', address.sealedAddress],
    ...(sealedParameters === undefined ? [] : [['parameters', sealedParameters] as const]),
    ...(sealedConfirmation === undefined ? [] : [['confirmation', sealedConfirmation] as const]),
  ]);
}

function addressed({ kind }: RecipientAddress, text: string): WhatsappMessage['to'] {
  if (kind === 'bsuid' || kind === 'parentBsuid') return { bsuid: text };
  return { phone: text.startsWith('+') ? text : `+${text}` };
}
