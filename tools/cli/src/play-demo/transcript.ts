import { formatPosition } from '@assent/contracts';
import { StepFailed, type StepOutcome } from './step.ts';

const WIDTH = 100;
const INDENT = '      ';
/** The same event type of several records in one line, up to so many positions. */
const POSITIONS_SHOWN_MAX = 6;

type Style = 'good' | 'bad' | 'dim' | 'strong';
const CODES: Readonly<Record<Style, string>> = { good: '32', bad: '31;1', dim: '2', strong: '1' };

/** Prints the story as it happens. */
export class Transcript {
  passed = 0;
  failed = 0;
  readonly #colour: boolean;
  #print: (line: string) => void;

  /** @param colour for terminals only */
  constructor(colour: boolean, print: (line: string) => void) {
    this.#colour = colour;
    this.#print = print;
  }

  heading(text: string): void {
    this.#print(this.#paint('strong', text));
  }

  line(text = ''): void {
    this.#print(text);
  }

  note(text: string): void {
    this.#print(this.#paint('dim', `${INDENT}${text}`));
  }

  held(number: number, title: string, { says, events, details = [] }: StepOutcome, tookMs: number): void {
    this.passed += 1;
    this.#title(number, this.#paint('good', '✓'), title, tookMs);
    for (const line of wrapped(says)) this.#print(`${INDENT}${line}`);
    for (const detail of details) for (const line of wrapped(detail)) this.note(line);
    for (const line of eventLines(events)) this.note(line);
  }

  notHeld(number: number, title: string, error: unknown, tookMs: number): void {
    this.failed += 1;
    this.#title(number, this.#paint('bad', '✗'), title, tookMs);
    const lines =
      error instanceof StepFailed
        ? [`expected  ${error.expected}`, `found     ${error.found}`]
        : [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    for (const line of lines.flatMap((text) => text.split('\n'))) this.#print(`${INDENT}${this.#paint('bad', line)}`);
  }

  box(rows: readonly (readonly [string, string])[]): void {
    const label = Math.max(...rows.map(([name]) => name.length));
    const lines = rows.map(([name, value]) => `${name.padEnd(label)}  ${value}`);
    const width = Math.max(...lines.map((line) => line.length));
    this.#print(`  ┌─${'─'.repeat(width)}─┐`);
    for (const line of lines) this.#print(`  │ ${line.padEnd(width)} │`);
    this.#print(`  └─${'─'.repeat(width)}─┘`);
  }

  /** From now on nothing is printed: what is under way fails because everything is being ended. */
  silence(): void {
    this.#print = () => undefined;
  }

  /** What CI reads; nothing else on the line. */
  result(): void {
    this.#print(`demo: ${this.passed} passed, ${this.failed} failed`);
  }

  #title(number: number, mark: string, title: string, tookMs: number): void {
    const took = this.#paint('dim', `${(tookMs / 1_000).toFixed(2)} s`);
    this.#print('');
    this.#print(`${String(number).padStart(3)} ${mark} ${this.#paint('strong', title)}  ${took}`);
  }

  #paint(style: Style, text: string): string {
    return this.#colour ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
  }
}

/** Pure: the events of a step, one type a line, with where they stand. */
export function eventLines(events: StepOutcome['events']): string[] {
  const byType = new Map<string, string[]>();
  for (const { type, position } of events) byType.set(type, [...(byType.get(type) ?? []), formatPosition(position)]);
  const width = Math.max(0, ...[...byType.keys()].map((type) => type.length));
  return [...byType].map(([type, positions]) => {
    const more = positions.length - POSITIONS_SHOWN_MAX;
    const shown = positions.slice(0, POSITIONS_SHOWN_MAX).join(', ');
    return `${type.padEnd(width)}  ${shown}${more > 0 ? ` and ${more} more` : ''}`;
  });
}

/** Pure: a text in lines that fit a terminal. Words are never cut. */
export function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH - INDENT.length) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
