import { fillTemplate } from './fill-template.ts';

const shop = { kind: 'quick-reply' as const, text: 'Shop now' };
const stop = { kind: 'quick-reply' as const, text: 'Not for me', optsOut: true };

describe('a filled template', () => {
  it('opts out by the button that was registered for it, and by no other', () => {
    const texts = new Map([['parameters', '["Ada"]']]);
    expect(fillTemplate('message', texts, { bodyParameters: 1, buttons: [shop, stop] })).toEqual({
      bodyParameters: ['Ada'],
      quickReplies: [{ index: 1, payload: 'OPTOUT' }],
    });
    expect(fillTemplate('message', texts, { bodyParameters: 1, buttons: [shop] }).quickReplies).toEqual([]);
  });

  it('confirms by the first button of the question, and carries the link where it has room', () => {
    const texts = new Map([['confirmation', '{"payload":"CONFIRM|x","url":"https://example.com/c"}']]);
    const yes = { kind: 'quick-reply' as const, text: 'Yes' };
    expect(fillTemplate('opt-in-ask', texts, { bodyParameters: 1, buttons: [yes] })).toEqual({
      bodyParameters: ['https://example.com/c'],
      quickReplies: [{ index: 0, payload: 'CONFIRM|x' }],
    });
    expect(fillTemplate('opt-in-ask', texts, { bodyParameters: 0 })).toEqual({ bodyParameters: [], quickReplies: [] });
  });
});
