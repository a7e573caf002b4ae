import type { TemplateContent } from './outgoing-message.ts';
import { renderTemplate, Templates, type Template } from './templates.ts';

const welcome: Template = {
  name: 'welcome',
  language: 'en',
  category: 'utility',
  body: 'Hello {{1}}, welcome to {{2}}. Bye {{1}}.',
  buttons: [
    { kind: 'quick-reply', text: 'Yes' },
    { kind: 'quick-reply', text: 'No' },
  ],
};
const content = (parameters: string[], payloads: [number, string][] = []): TemplateContent => ({
  type: 'template',
  name: 'welcome',
  language: 'en',
  bodyParameters: parameters.map((text) => ({ text })),
  payloads: new Map(payloads),
});
const code = (expected: number) => expect.objectContaining({ code: expected }) as Error;

describe('a template', () => {
  it('is filled with its parameters, and a button keeps its label where no payload is given', () => {
    expect(renderTemplate(welcome, content(['Ada', 'Acme'], [[0, 'CONFIRM|1']]))).toEqual({
      text: 'Hello Ada, welcome to Acme. Bye Ada.',
      buttons: [
        { text: 'Yes', payload: 'CONFIRM|1' },
        { text: 'No', payload: 'No' },
      ],
    });
  });

  it('is filled by name', () => {
    const named = { ...welcome, body: 'Hello {{first_name}} of {{town}}' };
    const parameters = [
      { name: 'town', text: 'Turin' },
      { name: 'first_name', text: 'Ada' },
    ];
    expect(renderTemplate(named, { ...content([]), bodyParameters: parameters }).text).toBe('Hello Ada of Turin');
  });

  it.each([[['Ada']], [['Ada', 'Acme', 'more']], [[]]])('refuses another number of parameters: %p', (parameters) => {
    expect(() => renderTemplate(welcome, content(parameters))).toThrow(code(132000));
  });

  it('refuses a payload for a button that it has not', () => {
    expect(() => renderTemplate(welcome, content(['Ada', 'Acme'], [[2, 'x']]))).toThrow(code(131009));
  });

  it('refuses a text that becomes too long', () => {
    expect(() => renderTemplate(welcome, content(['a'.repeat(600), 'Acme']))).toThrow(code(132005));
  });
});

describe('the templates of an account', () => {
  it.each([
    ['PAUSED', 132015],
    ['DISABLED', 132016],
  ] as const)('cannot be sent while %s', (status, expected) => {
    const templates = new Templates(false);
    templates.register({ ...welcome, status });
    expect(() => templates.find(content([]))).toThrow(code(expected));
  });

  it('are told apart by language', () => {
    const templates = new Templates(false);
    templates.register({ ...welcome, language: 'de' });
    expect(() => templates.find(content([]))).toThrow(code(132001));
  });

  it('are taken as they come when that is asked for', () => {
    const template = new Templates(true).find(content(['Ada'], [[1, 'x']]));
    expect(renderTemplate(template, content(['Ada'], [[1, 'x']]))).toEqual({
      text: 'Ada',
      buttons: [
        { text: 'Button 1', payload: 'Button 1' },
        { text: 'Button 2', payload: 'x' },
      ],
    });
  });
});
