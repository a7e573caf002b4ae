import { StepFailed } from './step.ts';
import { eventLines, Transcript, wrapped } from './transcript.ts';

const at = (offset: number) => ({ topic: 'consent.events', partition: 3, offset });
const event = (type: string, offset: number) => ({ type, position: at(offset) }) as never;

function written(colour: boolean, act: (transcript: Transcript) => void): string {
  const lines: string[] = [];
  act(new Transcript(colour, (line) => lines.push(line)));
  return lines.join('\n');
}

describe('the transcript', () => {
  it('ends with the line that CI reads, alone on it', () => {
    const text = written(true, (transcript) => {
      transcript.held(1, 'It holds', { says: 'So it is.', events: [] }, 10);
      transcript.notHeld(2, 'It does not', new StepFailed('a message', 'none'), 20);
      transcript.result();
    });
    expect(text.split('\n').at(-1)).toBe('demo: 1 passed, 1 failed');
  });

  it('says what a step that does not hold expected and found', () => {
    const text = written(false, (transcript) => {
      transcript.notHeld(4, 'The receipt arrives', new StepFailed('the receipt within 5 s', '7.2 s'), 7_200);
    });
    expect(text).toContain('  4 ✗ The receipt arrives  7.20 s');
    expect(text).toContain('expected  the receipt within 5 s');
    expect(text).toContain('found     7.2 s');
  });

  it('has colour only where it is asked for', () => {
    const tell = (transcript: Transcript): void => {
      transcript.heading('Story');
      transcript.held(1, 'It holds', { says: 'So it is.', events: [event('consent.granted.v1', 7)] }, 10);
    };
    expect(written(false, tell)).not.toContain('\u001b');
    expect(written(true, tell)).toContain('\u001b[32m✓');
  });

  it('names each event type once, with the positions that carried it', () => {
    expect(eventLines([event('consent.granted.v1', 7), event('a.b.v1', 8), event('consent.granted.v1', 9)])).toEqual([
      'consent.granted.v1  consent.events/3@7, consent.events/3@9',
      'a.b.v1              consent.events/3@8',
    ]);
  });

  it('breaks long texts between words', () => {
    const lines = wrapped('word '.repeat(60).trim());
    expect(lines.length).toBeGreaterThan(1);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(94);
    expect(lines.join(' ')).toBe('word '.repeat(60).trim());
  });
});
