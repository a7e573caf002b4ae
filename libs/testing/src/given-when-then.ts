import assert from 'node:assert/strict';

/** The three pure functions of a slice. */
export interface Decider<State, Command, Event> {
  initialState: State;
  evolve(state: State, event: Event): State;
  /** The events the command causes, `[]` for a repeat; throws an error with a `code` to refuse. */
  decide(state: State, command: Command): readonly Event[];
}

/** What follows the command. */
export interface Outcome<Event> {
  /** Exactly these events, in this order. */
  then(...events: readonly Event[]): void;
  thenNothing(): void;
  /** A refusal with this code. */
  thenRefused(code: string): void;
}

/** `given(…events).when(command).then(…events)` for a decider. */
export function specOf<State, Command, Event>(
  decider: Decider<State, Command, Event>,
): {
  given(...events: readonly Event[]): { when(command: Command): Outcome<Event> };
} {
  return {
    given: (...events) => {
      const state = events.reduce((before: State, event) => decider.evolve(before, event), decider.initialState);
      return { when: (command) => outcomeOf(() => [...decider.decide(state, command)]) };
    },
  };
}

function outcomeOf<Event>(decide: () => Event[]): Outcome<Event> {
  return {
    then: (...events) => {
      assert.deepEqual(decide(), events);
    },
    thenNothing: () => {
      assert.deepEqual(decide(), []);
    },
    thenRefused: (code) => {
      assert.throws(decide, (error: unknown) => {
        assert.equal((error as { code?: unknown }).code, code);
        return true;
      });
    },
  };
}
