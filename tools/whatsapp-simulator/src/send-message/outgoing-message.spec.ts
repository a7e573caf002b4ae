import { GraphError } from '../graph-error.ts';
import { parseOutgoingMessage } from './outgoing-message.ts';

const text = (changes: object = {}) => ({
  messaging_product: 'whatsapp',
  recipient_type: 'individual',
  to: '+12025550123',
  type: 'text',
  text: { body: 'Hello' },
  ...changes,
});
const template = (changes: object = {}) => ({
  messaging_product: 'whatsapp',
  to: '+12025550123',
  type: 'template',
  template: {
    name: 'welcome',
    language: { code: 'en_US' },
    components: [
      { type: 'body', parameters: [{ type: 'text', text: 'Ada' }] },
      { type: 'button', sub_type: 'quick_reply', index: '0', parameters: [{ type: 'payload', payload: 'CONFIRM|1' }] },
    ],
    ...changes,
  },
});
const body = (...parameters: object[]) => template({ components: [{ type: 'body', parameters }] });
const button = (changes: object) =>
  template({
    components: [
      {
        type: 'button',
        sub_type: 'quick_reply',
        index: '0',
        parameters: [{ type: 'payload', payload: 'a' }],
        ...changes,
      },
    ],
  });
const interactive = (buttons: unknown) => ({
  ...text({ type: 'interactive' }),
  interactive: { type: 'button', body: { text: 'Choose' }, action: { buttons } },
});

function codeOf(request: unknown): number | undefined {
  try {
    parseOutgoingMessage(typeof request === 'string' ? request : JSON.stringify(request));
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(GraphError);
    return (error as GraphError).code;
  }
}

describe('a request to send a message', () => {
  it('with a text is read', () => {
    expect(parseOutgoingMessage(JSON.stringify(text({ biz_opaque_callback_data: 'dispatch-1' })))).toEqual({
      input: '+12025550123',
      phone: '12025550123',
      content: { type: 'text', body: 'Hello' },
      bizOpaqueCallbackData: 'dispatch-1',
    });
  });

  it('with a template is read with its parameters and payloads', () => {
    expect(parseOutgoingMessage(JSON.stringify(template()))).toEqual({
      input: '+12025550123',
      phone: '12025550123',
      content: {
        type: 'template',
        name: 'welcome',
        language: 'en_US',
        bodyParameters: [{ text: 'Ada' }],
        payloads: new Map([[0, 'CONFIRM|1']]),
      },
    });
  });

  it('goes to the user id without a phone, and to the phone when there are both', () => {
    const both = parseOutgoingMessage(JSON.stringify(text({ recipient: 'US.13491' })));
    expect(both).toMatchObject({ phone: '12025550123' });
    expect(both.bsuid).toBeUndefined();
    expect(parseOutgoingMessage(JSON.stringify(text({ to: undefined, recipient: 'US.13491' })))).toMatchObject({
      input: 'US.13491',
      bsuid: 'US.13491',
    });
  });

  it('of type text needs no type', () => {
    expect(codeOf(text({ type: undefined }))).toBeUndefined();
  });

  it.each<[string, unknown, number]>([
    ['a body that is not JSON', '{"messaging_product":', 100],
    ['no body', '', 100],
    ['a list as body', '[]', 100],
    ['no messaging_product', text({ messaging_product: undefined }), 100],
    ['another messaging_product', text({ messaging_product: 'sms' }), 100],
    ['another recipient_type', text({ recipient_type: 'group' }), 131009],
    ['no recipient', text({ to: undefined }), 100],
    ['a recipient that is a number', text({ to: 12025550123 }), 131009],
    ['a recipient with letters', text({ to: 'Ada' }), 131009],
    ['a recipient that is too short', text({ to: '+12345' }), 131009],
    ['a user id without a country', text({ to: undefined, recipient: '13491' }), 131009],
    ['an unknown type', text({ type: 'carrier-pigeon' }), 100],
    ['a type that is not simulated', text({ type: 'image', image: { id: '1' } }), 131051],
    ['no text', text({ text: undefined }), 131008],
    ['an empty text', text({ text: { body: '' } }), 131008],
    ['a text that is a number', text({ text: { body: 7 } }), 131009],
    ['a text that is too long', text({ text: { body: 'a'.repeat(4_097) } }), 100],
    ['callback data that is too long', text({ biz_opaque_callback_data: 'a'.repeat(513) }), 100],
    ['callback data that is no string', text({ biz_opaque_callback_data: {} }), 100],
    ['a template without a name', template({ name: undefined }), 131008],
    ['a template without a language', template({ language: undefined }), 131008],
    ['a template without a language code', template({ language: {} }), 131008],
    ['components that are no list', template({ components: {} }), 131009],
    ['an unknown component', template({ components: [{ type: 'carousel' }] }), 131009],
    ['header parameters', template({ components: [{ type: 'header', parameters: [{}] }] }), 132012],
    ['a parameter without a type', body({ text: 'Ada' }), 131008],
    ['a parameter of another type', body({ type: 'currency' }), 132012],
    ['an empty parameter', body({ type: 'text', text: '' }), 131008],
    ['a parameter with a new line', body({ type: 'text', text: 'a\nb' }), 132018],
    ['a parameter with five spaces', body({ type: 'text', text: 'a     b' }), 132018],
    ['a button without an index', button({ index: undefined }), 131008],
    ['a button with a bad index', button({ index: '-1' }), 131009],
    ['a button with an index out of all range', button({ index: '1000000000' }), 131009],
    ['a button of another sub type', button({ sub_type: 'url' }), 131009],
    ['a button without a payload', button({ parameters: [] }), 132012],
    ['a payload that is too long', button({ parameters: [{ type: 'payload', payload: 'a'.repeat(129) }] }), 131009],
    ['no reply button', interactive([]), 131009],
    ['four reply buttons', interactive(Array(4).fill({ type: 'reply', reply: { id: 'a', title: 'A' } })), 131009],
    ['a reply button without an id', interactive([{ type: 'reply', reply: { title: 'A' } }]), 131008],
    ['a reply title that is too long', interactive([{ reply: { id: 'a', title: 'a'.repeat(21) } }]), 131009],
  ])('with %s is refused', (_, request, code) => {
    expect(codeOf(request)).toBe(code);
  });

  it('at the limits is taken', () => {
    expect(
      codeOf(text({ text: { body: 'a'.repeat(4_096) }, biz_opaque_callback_data: 'a'.repeat(512) })),
    ).toBeUndefined();
    expect(codeOf(button({ parameters: [{ type: 'payload', payload: 'a'.repeat(128) }] }))).toBeUndefined();
    expect(codeOf(body({ type: 'text', text: 'a    b' }))).toBeUndefined();
  });
});

describe('an error of the Cloud API', () => {
  it('has exactly the shape of the Graph API', () => {
    expect(new GraphError(131008, 'Parameter text is required.').body()).toEqual({
      error: {
        message: '(#131008) Required parameter is missing',
        type: 'OAuthException',
        code: 131008,
        error_data: { messaging_product: 'whatsapp', details: 'Parameter text is required.' },
        fbtrace_id: expect.stringMatching(/^A[\w-]{22}$/) as unknown,
      },
    });
    expect(new GraphError(100, 'x', { subcode: 33 }).body().error).toMatchObject({
      type: 'GraphMethodException',
      error_subcode: 33,
    });
  });
});
