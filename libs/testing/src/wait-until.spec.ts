import { waitUntil } from './wait-until.ts';

describe('waiting until a condition holds', () => {
  it('gives what the condition gives once it is neither missing nor false', async () => {
    const answers = [undefined, false, null, 0];
    await expect(waitUntil('an answer', () => Promise.resolve(answers.shift()))).resolves.toBe(0);
  });

  it('takes an error as not yet', async () => {
    let looks = 0;
    const condition = (): string => {
      looks += 1;
      if (looks < 3) throw new Error('not there');
      return 'there';
    };
    await expect(waitUntil('it to be there', condition)).resolves.toBe('there');
  });

  it('fails in the end, naming what was waited for and the last error', async () => {
    const condition = (): never => {
      throw new Error('still closed');
    };
    await expect(waitUntil('the door to open', condition, { timeoutMs: 50 })).rejects.toThrow(
      'waited 50 ms in vain for: the door to open (still closed)',
    );
  });
});
