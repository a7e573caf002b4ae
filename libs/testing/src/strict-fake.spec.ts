import { strictFake, UnplannedCallError } from './strict-fake.ts';

interface Provider {
  send(text: string): Promise<string>;
  limit: number;
}

describe('a strict fake', () => {
  it('does what is planned', async () => {
    const fake = strictFake<Provider>('Provider', { send: (text) => Promise.resolve(`sent ${text}`) });
    await expect(fake.send('x')).resolves.toBe('sent x');
    await expect(Promise.resolve(fake)).resolves.toBe(fake);
  });

  it('fails on everything else', () => {
    const fake = strictFake<Provider>('Provider', {});
    expect(() => fake.send('x')).toThrow(UnplannedCallError);
    expect(() => fake.limit).toThrow('Provider.limit was used');
  });
});
